/** The service without a service: queues in memory, every call written down, any call made to fail. */

import {
  RECEIVE_BATCH,
  type ReceivedMessage,
  type SqsApi,
} from "../../../src/frontend/sqs/sqs-api.ts";

type Call = Exclude<keyof SqsApi, "close">;

/** More calls than any test makes. */
const CALL_LIMIT = 10_000;

export class FakeSqs implements SqsApi {
  /** The calls in their order: name and arguments. */
  readonly calls: string[] = [];
  /** What each call fails with, while there is something. */
  readonly failures = new Map<Call, Error>();
  /** Queues that exist, with the time of their last change in ms. */
  readonly queues = new Map<string, number>();
  /** Is told of each call before it is answered. */
  onCall: (call: Call) => void = () => {};
  /** Pages of a list are this long. */
  pageSize = 1_000;
  readonly #inbox: ReceivedMessage[] = [];
  #onMessage: () => void = () => {};

  /** Puts messages where the next receive, or the one that waits, finds them. */
  deliver(...messages: readonly ReceivedMessage[]): void {
    this.#inbox.push(...messages);
    this.#onMessage();
  }

  /** Messages that nobody has taken. */
  get undelivered(): number {
    return this.#inbox.length;
  }

  /** How often the call was made. */
  count(call: Call): number {
    return this.calls.filter((line) => line.startsWith(`${call} `)).length;
  }

  async createQueue(name: string, retention?: number): Promise<string> {
    await this.#begin("createQueue", name, retention ?? "-");
    return url(name);
  }

  async receive(queueUrl: string, most: number, stop: AbortSignal) {
    await this.#begin("receive", queueUrl, most);
    if (this.#inbox.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#onMessage = resolve;
        stop.addEventListener("abort", () => reject(stop.reason));
      });
    }
    return this.#inbox.splice(0, Math.min(most, RECEIVE_BATCH));
  }

  async send(queueUrl: string, body: string): Promise<void> {
    await this.#begin("send", queueUrl, body);
  }

  async deleteMessage(queueUrl: string, receipt: string): Promise<void> {
    await this.#begin("deleteMessage", queueUrl, receipt);
  }

  async listQueues(prefix: string, next: string | undefined) {
    await this.#begin("listQueues", prefix, next ?? "-");
    const start = Number(next ?? 0);
    const urls = [...this.queues.keys()].slice(start, start + this.pageSize);
    const end = start + urls.length;
    return { urls, next: end < this.queues.size ? end.toString() : undefined };
  }

  async getLastModified(queueUrl: string): Promise<number> {
    await this.#begin("getLastModified", queueUrl);
    const time = this.queues.get(queueUrl);
    if (time === undefined) throw serviceError("QueueDoesNotExist");
    return time;
  }

  async deleteQueue(queueUrl: string): Promise<void> {
    await this.#begin("deleteQueue", queueUrl);
    // Deleting takes its time, and the queue stays in the list for a while.
    this.queues.set(queueUrl, Number.POSITIVE_INFINITY);
  }

  close(): void {}

  async #begin(call: Call, ...args: ReadonlyArray<string | number>): Promise<void> {
    this.calls.push([call, ...args].join(" "));
    // A loop that spins would let nothing else in this process happen: it gets no further than this.
    if (this.calls.length > CALL_LIMIT) await new Promise(() => {});
    this.onCall(call);
    const failure = this.failures.get(call);
    if (failure !== undefined) throw failure;
  }
}

/** The URL of a queue by that name. */
export function url(name: string): string {
  return `https://sqs.example.net/123456789012/${name}`;
}

/** An error as the service words it. */
export function serviceError(name: string, text = `${name} happened`): Error {
  return Object.assign(new Error(text), { name, $fault: "client" });
}

/** A message with its number in every field. */
export function message(number: number, fields: Partial<ReceivedMessage> = {}): ReceivedMessage {
  return {
    id: `id-${number}`,
    receipt: `receipt-${number}`,
    clientId: `client-${number}`,
    body: `body ${number}`,
    ...fields,
  };
}

/** Waits until the condition holds, as long as all that is left to do is in this process. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (holds()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  throw new Error("it never came to that");
}

/** Lets everything in this process that can go on go on. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
