/** A broker that listens to a queue, with everything that it tells of its work. */

import { NO_REFUSAL_EVENTS } from "../../../src/frontend/refusals.ts";
import { type RunningSqs, type SqsOptions, startSqs } from "../../../src/frontend/sqs/start-sqs.ts";
import { descriptionText } from "../../../src/messages/session-description.ts";
import { until } from "../../interop/waiting.ts";
import { TestBroker } from "../../kit/test-broker.ts";
import { LogLines } from "./log-lines.ts";
import { SqsEventLog } from "./sqs-event-log.ts";

export const REGION = "eu-central-1";

/** Longest wait for something to come through, in ms. */
const BOUND = 15_000;

export class ListeningBroker implements AsyncDisposable {
  readonly queue: string;
  readonly proxies: TestBroker;
  readonly events: SqsEventLog;
  readonly log: LogLines;
  readonly #running: RunningSqs;

  private constructor(
    parts: Pick<ListeningBroker, "queue" | "proxies" | "events" | "log">,
    running: RunningSqs,
  ) {
    this.queue = parts.queue;
    this.proxies = parts.proxies;
    this.events = parts.events;
    this.log = parts.log;
    this.#running = running;
  }

  /** Starts it with a queue of its own, unless the options say otherwise. */
  static async start(options: Partial<SqsOptions> = {}): Promise<ListeningBroker> {
    const queue = options.queueName ?? `broker-${crypto.randomUUID()}`;
    const parts = {
      queue,
      proxies: new TestBroker(),
      events: new SqsEventLog(),
      log: new LogLines(),
    };
    const running = await startSqs({
      destination: { broker: parts.proxies.broker, refusals: NO_REFUSAL_EVENTS },
      queueName: queue,
      region: REGION,
      profiles: [],
      log: parts.log.logger,
      events: parts.events,
      ...options,
    });
    return new ListeningBroker(parts, running);
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }

  /** Brings a proxy that waits until it is given an offer, which it resolves to. */
  async proxy(sid: string): Promise<string> {
    const polling = this.proxies.poll(sid);
    const outcome = await until(BOUND, "client", () => polling.outcome);
    if (outcome.kind !== "matched") throw new Error(`the proxy is told ${outcome.kind}`);
    return descriptionText(outcome.offer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Asks again and again until it holds. */
export async function holds(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  await until(BOUND, what, async () => (await ask()) || undefined);
}

/** The offer of a client with that number. */
export function offer(number: number): string {
  return JSON.stringify({ type: "offer", sdp: `offer ${number}` });
}

/** The message of a client with that number. */
export function clientPoll(number: number): string {
  return `1.0\n${JSON.stringify({ offer: offer(number), nat: "unrestricted" })}`;
}
