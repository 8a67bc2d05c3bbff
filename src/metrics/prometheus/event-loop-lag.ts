/** How late the event loop is: what every peer waits on top of what it waits for. */

import { monitorEventLoopDelay } from "node:perf_hooks";

import { Gauge, type Registry } from "prom-client";

import { NAMESPACE } from "./counted-families.ts";

/** How often the lag is measured, in ms. A broker with 25 polls a second wakes up some 50 times a second for them. */
const RESOLUTION = 100;

/** Milliseconds without work after which nothing is measured until there is some. */
const IDLE = 1_000;

const NANOSECONDS = 1e9;

/**
 * Shows the lag since the registry was last asked, by whomever: median, 99th percentile and maximum. One in a process:
 * Bun has a single monitor, which all share, and closing one stops it for all.
 */
export class EventLoopLag {
  readonly #delays: ReturnType<typeof monitorEventLoopDelay>;
  #worked = false;
  #idling: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  /** Measures while there is work, until it is closed; names begin with `namespace`. */
  constructor(registry: Registry, namespace = NAMESPACE) {
    const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#delays = delays;
    const gauge = (statistic: string, help: string, collect?: () => void) =>
      new Gauge({
        name: `${namespace}event_loop_lag_${statistic}_seconds`,
        help: `${help} of the event loop since the last scrape`,
        registers: [registry],
        ...(collect === undefined ? {} : { collect }),
      });
    // Families are collected in the order in which they were registered: the first sets all three.
    const p50 = gauge("p50", "Median lag", () => {
      p50.set(delays.percentile(50) / NANOSECONDS);
      p99.set(delays.percentile(99) / NANOSECONDS);
      max.set(delays.max / NANOSECONDS);
      delays.reset();
    });
    const p99 = gauge("p99", "99th percentile of the lag");
    const max = gauge("max", "Greatest lag");
  }

  /** There is work: who does it waits for the event loop. */
  worked(): void {
    this.#worked = true;
    if (this.#idling !== undefined || this.#closed) return;
    this.#delays.enable();
    this.#idling = setInterval(() => {
      if (this.#worked) this.#worked = false;
      else this.#stop();
    }, IDLE);
    this.#idling.unref();
  }

  /** Measures no more. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#idling);
    this.#idling = undefined;
    this.#delays.disable();
  }
}
