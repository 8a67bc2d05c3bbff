import { describe, expect, test } from "bun:test";

import { QueueCleaner } from "../../../src/frontend/sqs/queue-cleaner.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { FakeSqs, quiet, serviceError, until, url } from "./fake-sqs.ts";
import { LogLines } from "./log-lines.ts";
import { SqsEventLog } from "./sqs-event-log.ts";

/** When the tests take place: some time in 2026, in ms since 1970. */
const START = 1_790_000_000_000;

class Cleaning {
  readonly sqs = new FakeSqs();
  readonly clock = new FakeClock();
  readonly events = new SqsEventLog();
  readonly log = new LogLines();
  readonly #stop = new AbortController();
  hasEnded = false;

  constructor() {
    const cleaner = new QueueCleaner({
      api: this.sqs,
      clock: this.clock,
      timeOfDay: () => START + this.clock.now(),
      log: this.log.logger,
      events: this.events,
    });
    void cleaner.run(this.#stop.signal).then(() => {
      this.hasEnded = true;
    });
  }

  /** A queue that was made that long ago, in seconds. */
  add(name: string, age: number): void {
    this.sqs.queues.set(url(name), START - age * 1_000);
  }

  async pass(seconds: number): Promise<void> {
    this.clock.advance(seconds * 1_000);
    await quiet();
  }

  get deleted(): string[] {
    const prefix = `deleteQueue ${url("")}`;
    return this.sqs.calls
      .filter((call) => call.startsWith(prefix))
      .map((call) => call.slice(prefix.length));
  }

  stop(): void {
    this.#stop.abort();
  }
}

test("every 30 s the client queues of more than two minutes are deleted", async () => {
  const cleaning = new Cleaning();
  cleaning.add("snowflake-client-old", 91);
  cleaning.add("snowflake-client-young", 90);
  await cleaning.pass(29);
  expect(cleaning.sqs.calls).toEqual([]);
  await cleaning.pass(1);
  expect(cleaning.sqs.calls[0]).toBe("listQueues snowflake-client- -");
  expect(cleaning.deleted).toEqual(["snowflake-client-old"]);
  await cleaning.pass(30);
  expect(cleaning.deleted).toEqual(["snowflake-client-old", "snowflake-client-young"]);
  expect(cleaning.events.counts).toEqual({ cleaned: 2 });
  expect(cleaning.log.text).toBe("");
});

test("other queues are not even looked at, whatever the list says", async () => {
  const cleaning = new Cleaning();
  cleaning.add("broker-queue", 1_000);
  cleaning.add("not-snowflake-client-a", 1_000);
  await cleaning.pass(30);
  expect(cleaning.sqs.calls).toEqual(["listQueues snowflake-client- -"]);
});

test("all pages are gone through", async () => {
  const cleaning = new Cleaning();
  cleaning.sqs.pageSize = 30;
  for (let i = 0; i < 100; i++) cleaning.add(`snowflake-client-${i}`, 1_000);
  await cleaning.pass(30);
  await until(() => cleaning.events.counts["cleaned"] === 100);
  expect(new Set(cleaning.deleted).size).toBe(100);
  expect(cleaning.sqs.count("listQueues")).toBe(4);
});

describe("what fails", () => {
  test("listing is logged, and tried again in the next round", async () => {
    const cleaning = new Cleaning();
    cleaning.add("snowflake-client-old", 1_000);
    cleaning.sqs.failures.set("listQueues", serviceError("AccessDenied", "not allowed"));
    await cleaning.pass(30);
    expect(cleaning.log.text).toContain("AccessDenied: not allowed");
    cleaning.sqs.failures.clear();
    await cleaning.pass(30);
    expect(cleaning.events.counts).toEqual({ cleaned: 1 });
  });

  test("deleting is logged once a round, with no word of whose queue it is", async () => {
    const cleaning = new Cleaning();
    for (const name of ["a", "b"]) cleaning.add(`snowflake-client-${name}`, 1_000);
    const failure = serviceError("AccessDenied", "no right to delete snowflake-client-a");
    cleaning.sqs.failures.set("deleteQueue", failure);
    await cleaning.pass(30);
    expect(cleaning.log.lines.length).toBe(1);
    expect(cleaning.log.text).toContain("queues=2 error=AccessDenied");
    expect(cleaning.log.text).not.toContain("snowflake-client-");
    expect(cleaning.events.counts).toEqual({});
  });

  test("a queue that has gone meanwhile is nobody's fault", async () => {
    const cleaning = new Cleaning();
    cleaning.add("snowflake-client-a", 1_000);
    cleaning.sqs.failures.set("getLastModified", serviceError("QueueDoesNotExist"));
    await cleaning.pass(30);
    expect(cleaning.log.text).toBe("");
    expect(cleaning.events.counts).toEqual({});
  });
});

describe("a stop", () => {
  test("ends the pause", async () => {
    const cleaning = new Cleaning();
    cleaning.stop();
    await until(() => cleaning.hasEnded);
    expect(cleaning.clock.timers).toBe(0);
    expect(cleaning.sqs.calls).toEqual([]);
  });

  test("ends a round early", async () => {
    const cleaning = new Cleaning();
    for (let i = 0; i < 1_000; i++) cleaning.add(`snowflake-client-${i}`, 1_000);
    cleaning.sqs.onCall = (call) => {
      if (call === "deleteQueue") cleaning.stop();
    };
    await cleaning.pass(30);
    expect(cleaning.hasEnded).toBe(true);
    // One of them, and those that were being looked at meanwhile.
    expect(cleaning.deleted.length).toBeGreaterThan(0);
    expect(cleaning.deleted.length).toBeLessThanOrEqual(10);
  });
});
