import { describe, expect, test } from "bun:test";

import { QueueListener } from "../../../src/frontend/sqs/queue-listener.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { FakeSqs, message, quiet, serviceError, until, url } from "./fake-sqs.ts";
import { LogLines } from "./log-lines.ts";
import { SqsEventLog } from "./sqs-event-log.ts";

/** A listener whose messages stay in hand until the test is done with them. */
class Listening {
  readonly sqs = new FakeSqs();
  readonly clock = new FakeClock();
  readonly events = new SqsEventLog();
  readonly log = new LogLines();
  /** The ids in hand, with what ends each. */
  readonly inHand = new Map<string, () => void>();
  readonly handled: string[] = [];
  readonly #stop = new AbortController();
  readonly #listener: QueueListener;
  hasEnded = false;

  constructor(maxInHand = 200) {
    this.#listener = new QueueListener({
      api: this.sqs,
      queueName: "broker-queue",
      handle: (queueUrl, { id }) => {
        this.handled.push(`${id} of ${queueUrl}`);
        return new Promise((resolve) => this.inHand.set(id, resolve));
      },
      maxInHand,
      clock: this.clock,
      random: () => 1,
      log: this.log.logger,
      events: this.events,
    });
  }

  async start(): Promise<void> {
    await this.#listener.open();
    void this.#listener.run(this.#stop.signal).then(() => {
      this.hasEnded = true;
    });
    await quiet();
  }

  stop(): void {
    this.#stop.abort(new DOMException("stopped", "AbortError"));
  }

  finish(id: string): void {
    const end = this.inHand.get(id);
    if (end === undefined) throw new Error(`${id} is not in hand`);
    this.inHand.delete(id);
    end();
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => message(i));

test("makes the queue with its retention, and receives ten at a time", async () => {
  const listening = new Listening();
  await listening.start();
  expect(listening.sqs.calls).toEqual([
    "createQueue broker-queue 300",
    `receive ${url("broker-queue")} 10`,
  ]);
  listening.sqs.deliver(...numbers(25));
  await until(() => listening.handled.length === 25);
  expect(listening.handled[24]).toBe(`id-24 of ${url("broker-queue")}`);
  expect(listening.sqs.count("receive")).toBe(4);
});

test("takes no more than it has room for, and goes on as soon as there is some", async () => {
  const listening = new Listening(13);
  listening.sqs.deliver(...numbers(40));
  await listening.start();
  expect(listening.inHand.size).toBe(13);
  expect(listening.sqs.undelivered).toBe(27);
  expect(listening.sqs.calls.slice(1).map((call) => call.split(" ").at(-1))).toEqual(["10", "3"]);

  listening.finish("id-0");
  await quiet();
  expect(listening.sqs.count("receive")).toBe(3);
  expect(listening.inHand.size).toBe(13);

  while (listening.inHand.size > 0) {
    for (const id of listening.inHand.keys()) listening.finish(id);
    await quiet();
  }
  expect(listening.handled.length).toBe(40);
});

describe("when receiving fails", () => {
  test("it tries again after pauses that grow, and logs once", async () => {
    const listening = new Listening();
    listening.sqs.failures.set("receive", serviceError("ServiceUnavailable", "try later"));
    await listening.start();
    const callsAt = [0];
    for (let second = 1; second <= 100; second++) {
      listening.clock.advance(1_000);
      await quiet();
      if (listening.sqs.count("receive") > callsAt.length) callsAt.push(second);
    }
    expect(callsAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    expect(listening.sqs.count("receive")).toBe(callsAt.length);
    expect(listening.events.counts).toEqual({ "receive failed": callsAt.length });
    expect(listening.log.lines.length).toBe(1);
    expect(listening.log.text).toContain("ServiceUnavailable: try later");
  });

  test("it goes on where it was once that is over, and begins with short pauses again", async () => {
    const listening = new Listening();
    listening.sqs.failures.set("receive", serviceError("ServiceUnavailable"));
    await listening.start();
    for (const pause of [1_000, 2_000]) {
      listening.clock.advance(pause);
      await quiet();
    }
    expect(listening.sqs.count("receive")).toBe(3);
    listening.sqs.failures.clear();
    listening.sqs.deliver(message(1));
    listening.clock.advance(4_000);
    await until(() => listening.inHand.has("id-1"));
    expect(listening.log.lines[1]).toContain("receiving from SQS again");

    listening.sqs.failures.set("receive", serviceError("ServiceUnavailable"));
    listening.sqs.deliver(message(2));
    await until(() => listening.events.counts["receive failed"] === 4);
    const before = listening.sqs.count("receive");
    listening.clock.advance(999);
    await quiet();
    expect(listening.sqs.count("receive")).toBe(before);
    listening.clock.advance(1);
    await quiet();
    expect(listening.sqs.count("receive")).toBe(before + 1);
    expect(listening.sqs.count("createQueue")).toBe(1);
  });

  test("because somebody deleted the queue, it makes it again", async () => {
    const listening = new Listening();
    listening.sqs.failures.set("receive", serviceError("QueueDoesNotExist"));
    await listening.start();
    listening.sqs.failures.set("createQueue", serviceError("QueueDeletedRecently"));
    listening.clock.advance(1_000);
    await quiet();
    expect(listening.sqs.count("createQueue")).toBe(2);
    listening.clock.advance(2_000);
    await quiet();
    expect(listening.sqs.count("createQueue")).toBe(3);
    expect(listening.log.lines).toEqual([
      expect.stringContaining("QueueDoesNotExist"),
      expect.stringContaining("QueueDeletedRecently"),
    ]);

    listening.sqs.failures.clear();
    listening.sqs.deliver(message(1));
    listening.clock.advance(4_000);
    await until(() => listening.inHand.has("id-1"));
  });

  test("a stop does not wait for the end of the pause", async () => {
    const listening = new Listening();
    listening.sqs.failures.set("receive", serviceError("ServiceUnavailable"));
    await listening.start();
    listening.stop();
    await until(() => listening.hasEnded);
    expect(listening.clock.timers).toBe(0);
    expect(listening.sqs.count("receive")).toBe(1);
  });
});

describe("a stop", () => {
  test("cuts the receive off, and waits for what is in hand", async () => {
    const listening = new Listening();
    listening.sqs.deliver(message(1), message(2));
    await listening.start();
    listening.stop();
    await quiet();
    listening.sqs.deliver(message(3));
    listening.finish("id-1");
    await quiet();
    expect(listening.hasEnded).toBe(false);
    listening.finish("id-2");
    await until(() => listening.hasEnded);
    expect(listening.sqs.undelivered).toBe(1);
    expect(listening.handled.length).toBe(2);
    expect(listening.events.counts).toEqual({});
    expect(listening.log.text).toBe("");
  });

  test("in the moment in which messages come leaves none of them out", async () => {
    const listening = new Listening();
    await listening.start();
    listening.sqs.deliver(message(1), message(2));
    listening.stop();
    await until(() => listening.inHand.size === 2);
    listening.finish("id-1");
    listening.finish("id-2");
    await until(() => listening.hasEnded);
    expect(listening.sqs.count("receive")).toBe(1);
  });

  test("while there is no room takes nothing more", async () => {
    const listening = new Listening(1);
    listening.sqs.deliver(message(1), message(2));
    await listening.start();
    listening.stop();
    listening.finish("id-1");
    await until(() => listening.hasEnded);
    expect(listening.sqs.undelivered).toBe(1);
  });
});
