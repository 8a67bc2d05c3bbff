/** A measurement of proxies as they are in the field: each polls now and then, on a connection that it would like to keep. */

import { AddressCycle } from "./address-cycle.ts";
import { Http2Connection } from "./http2-connection.ts";
import type { FieldResult } from "./load-result.ts";
import { everySecond, type Progress, type Server } from "./measure.ts";
import { bodyOf } from "./messages.ts";
import { takeProxyTurn } from "./proxy-turn.ts";
import { Tally } from "./tally.ts";
import { watch } from "./window.ts";

export interface FieldLoad {
  readonly proxies: number;
  /** Seconds from one poll of a proxy to its next. The proxies are spread evenly over them. */
  readonly every: number;
  /** Lengths of the phases in s. All proxies have polled once when `every` is over. */
  readonly warmup: number;
  readonly seconds: number;
}

/**
 * Measures polls that no client wants, over HTTP/2 and TLS. A proxy opens a connection when it has none, because the
 * server has closed the last one. Polls that end within the window count.
 */
export async function measureField(
  server: Server,
  load: FieldLoad,
  progress: Progress,
): Promise<FieldResult> {
  const field = new Field(server.port, load);
  const { tally } = field;
  let phase = "warm-up";
  using _ = everySecond(() => progress(phase, tally));
  try {
    field.start();
    await Bun.sleep(load.warmup * 1000);
    phase = "window";
    const before = field.handshakes;
    const window = await watch(server.pid, load.seconds, tally, []);
    const { seconds, residentKb, peakKb, generatorLoad, idlePolls: polls } = window;
    if (polls === 0)
      throw new Error(`no poll ended within the window: ${[...tally.errors.keys()].join(", ")}`);
    return {
      kind: "field",
      seconds,
      polls,
      cpuPerPoll: window.serverCpu.tree / polls,
      handshakes: field.handshakes - before,
      residentKb,
      peakKb,
      generatorLoad,
      errors: Object.fromEntries(tally.errors),
    };
  } finally {
    field.close();
  }
}

/** The proxies. */
class Field {
  readonly tally = new Tally();
  /** Connections that were opened. */
  handshakes = 0;
  readonly #port: number;
  readonly #load: FieldLoad;
  readonly #connections = new Map<string, Http2Connection>();
  readonly #timers: (() => void)[] = [];
  #closed = false;

  constructor(port: number, load: FieldLoad) {
    this.#port = port;
    this.#load = load;
  }

  start(): void {
    const { proxies, every } = this.#load;
    const addresses = new AddressCycle(proxies);
    for (let index = 0; index < proxies; index++) {
      const address = addresses.next();
      const first = setTimeout(
        () => {
          void this.#poll(address);
          const others = setInterval(() => void this.#poll(address), every * 1000);
          this.#timers.push(() => clearInterval(others));
        },
        (index * every * 1000) / proxies,
      );
      this.#timers.push(() => clearTimeout(first));
    }
  }

  /** Closes all connections, whatever is in flight. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#timers) stop();
    for (const connection of this.#connections.values()) connection.close();
  }

  async #poll(address: string): Promise<void> {
    const { tally } = this;
    const connection = this.#connect(address);
    tally.waiting++;
    try {
      const turn = await takeProxyTurn(
        async (path, body) => bodyOf(await connection.post(path, body, address), path),
        { nat: "unrestricted" },
      );
      if (turn.kind === "idle") tally.idlePolls++;
      else tally.fail("/proxy: a client that nobody sent");
    } catch (error) {
      if (!this.#closed) tally.fail(error instanceof Error ? error.message : String(error));
    } finally {
      tally.waiting--;
    }
  }

  /** The connection of the proxy with this address. */
  #connect(address: string): Http2Connection {
    const kept = this.#connections.get(address);
    if (kept?.isOpen === true) return kept;
    const opened = new Http2Connection(this.#port);
    this.#connections.set(address, opened);
    this.handshakes++;
    return opened;
  }
}
