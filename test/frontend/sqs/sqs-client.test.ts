import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { CLIENT_QUEUE_PREFIX } from "../../../src/frontend/sqs/client-queue.ts";
import { QueueCleaner } from "../../../src/frontend/sqs/queue-cleaner.ts";
import type { SqsApi } from "../../../src/frontend/sqs/sqs-api.ts";
import { openSqs } from "../../../src/frontend/sqs/sqs-client.ts";
import { until } from "../../interop/waiting.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { LogLines } from "./log-lines.ts";
import { reasonOf } from "./reason.ts";
import { SqsEventLog } from "./sqs-event-log.ts";

const NEVER = new AbortController().signal;
const ACCOUNT = { profile: undefined, region: "eu-central-1" };

test("the SDK is loaded where it is used, when it is used", () => {
  const folder = join(import.meta.dir, "../../../src/frontend/sqs");
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const imports = readdirSync(folder).flatMap((file) =>
    transpiler
      .scanImports(readFileSync(join(folder, file)))
      .filter(({ path }) => path.startsWith("@aws-sdk/"))
      .map(({ kind }) => `${file}: ${kind}`),
  );
  expect(imports).toEqual(["sqs-client.ts: dynamic-import"]);
});

describe("calls", () => {
  const log = new LogLines();
  let fauxqs: FauxqsProcess;
  let environment: AwsEnvironment;
  let api: SqsApi;

  beforeAll(async () => {
    fauxqs = await FauxqsProcess.start();
    environment = new AwsEnvironment(fauxqs.endpoint);
    ({ api } = await openSqs(ACCOUNT, log.logger));
  });

  afterAll(async () => {
    api.close();
    environment[Symbol.dispose]();
    await fauxqs[Symbol.asyncDispose]();
  });

  test("a queue can be made again, is listed by its beginning, and deleted", async () => {
    const url = await api.createQueue("calls-a", 300);
    expect(await api.createQueue("calls-a", 300)).toBe(url);
    await api.createQueue("other");
    expect(await api.listQueues("calls-", undefined)).toEqual({ urls: [url], next: undefined });
    const age = Date.now() - (await api.getLastModified(url));
    expect(age).toBeWithin(0, 30_000);
    await api.deleteQueue(url);
    expect(await api.listQueues("calls-", undefined)).toEqual({ urls: [], next: undefined });
  });

  test("a message is the same each time it is received", async () => {
    const url = await api.createQueue("messages");
    await api.send(url, "a message");
    const [received] = await api.receive(url, 10, NEVER);
    expect(received).toMatchObject({ body: "a message", clientId: undefined });
    await api.deleteMessage(url, received?.receipt ?? "");
  });

  test("a queue that is not there is called so", async () => {
    const url = await api.createQueue("deleted");
    await api.deleteQueue(url);
    const calls = [
      api.receive(url, 1, NEVER),
      api.getLastModified(url),
      api.deleteQueue(url),
      api.send(url, "message"),
    ];
    for (const call of calls) {
      expect(await reasonOf(call)).toHaveProperty("name", "QueueDoesNotExist");
    }
  });

  test("a long poll ends when it is told to", async () => {
    const url = await api.createQueue("empty");
    const stop = new AbortController();
    const receive = api.receive(url, 10, stop.signal);
    const begin = performance.now();
    const why = new Error("told to");
    stop.abort(why);
    expect(await reasonOf(receive)).toBe(why);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test("the clean-up leaves young queues and those of others", async () => {
    const urls = await Promise.all(
      Array.from({ length: 20 }, (_, i) => api.createQueue(`${CLIENT_QUEUE_PREFIX}${i}`)),
    );
    await api.createQueue("snowflake-broker");
    const clock = new FakeClock();
    const events = new SqsEventLog();
    const stop = new AbortController();
    const cleaner = new QueueCleaner({
      api,
      clock,
      timeOfDay: () => Date.now() + clock.now(),
      log: log.logger,
      events,
    });
    const cleaned = cleaner.run(stop.signal);

    for (let rounds = 1; rounds <= 3; rounds++) {
      clock.advance(30_000);
      await roundOver(clock);
    }
    expect((await api.listQueues(CLIENT_QUEUE_PREFIX, undefined)).urls.toSorted()).toEqual(
      urls.toSorted(),
    );
    clock.advance(30_000);
    await roundOver(clock);
    clock.advance(30_000);
    await roundOver(clock);
    expect((await api.listQueues("snowflake-", undefined)).urls.length).toBe(1);
    expect(events.counts).toEqual({ cleaned: 20 });
    stop.abort();
    await cleaned;
  });

  /** After a round the cleaner sets its timer for the next. */
  function roundOver(clock: FakeClock): Promise<true> {
    return until(5_000, "end of the round", () => (clock.timers === 1 ? true : undefined));
  }
});

/** A service that gives every call the same reply, and keeps what it was asked. */
async function withReply<T>(
  reply: object,
  use: (api: SqsApi) => Promise<T>,
  asked: unknown[] = [],
): Promise<T> {
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      asked.push([request.headers.get("x-amz-target"), await request.json()]);
      return Response.json(reply, { headers: { "Content-Type": "application/x-amz-json-1.0" } });
    },
  });
  using _ = new AwsEnvironment(server.url.origin);
  const { api } = await openSqs(ACCOUNT, new LogLines().logger);
  try {
    return await use(api);
  } finally {
    api.close();
  }
}

test("what the service is asked", async () => {
  const reply = { QueueUrl: "url", Attributes: { LastModifiedTimestamp: "1790000000" } };
  const asked: unknown[] = [];
  await withReply(
    reply,
    async (api) => {
      await api.createQueue("name", 300);
      await api.createQueue("name");
      await api.receive("url", 7, NEVER);
      await api.send("url", "body");
      await api.deleteMessage("url", "receipt");
      await api.listQueues("prefix-", undefined);
      await api.listQueues("prefix-", "token");
      expect(await api.getLastModified("url")).toBe(1_790_000_000_000);
      await api.deleteQueue("url");
    },
    asked,
  );
  const receive = { MaxNumberOfMessages: 7, WaitTimeSeconds: 15, MessageAttributeNames: ["All"] };
  const list = { QueueNamePrefix: "prefix-", MaxResults: 1_000 };
  expect(asked).toEqual([
    ["AmazonSQS.CreateQueue", { QueueName: "name", Attributes: { MessageRetentionPeriod: "300" } }],
    ["AmazonSQS.CreateQueue", { QueueName: "name" }],
    ["AmazonSQS.ReceiveMessage", { QueueUrl: "url", ...receive }],
    ["AmazonSQS.SendMessage", { QueueUrl: "url", MessageBody: "body" }],
    ["AmazonSQS.DeleteMessage", { QueueUrl: "url", ReceiptHandle: "receipt" }],
    ["AmazonSQS.ListQueues", list],
    ["AmazonSQS.ListQueues", { ...list, NextToken: "token" }],
    [
      "AmazonSQS.GetQueueAttributes",
      { QueueUrl: "url", AttributeNames: ["LastModifiedTimestamp"] },
    ],
    ["AmazonSQS.DeleteQueue", { QueueUrl: "url" }],
  ]);
});

describe("what the service never says", () => {
  test("a message may lack anything, or have a wrong checksum, and the others come through", async () => {
    const binary = { ClientID: { DataType: "Binary", BinaryValue: "eA==" } };
    const Messages = [
      { MessageId: "1", ReceiptHandle: "r1" },
      { MessageId: "2" },
      { ReceiptHandle: "r3" },
      {},
      { MessageId: "4", ReceiptHandle: "r4", Body: "body", MD5OfBody: "0" },
      { MessageId: "5", ReceiptHandle: "r5", Body: "body", MessageAttributes: binary },
    ];
    const received = await withReply({ Messages }, (api) => api.receive("http://q/1/q", 10, NEVER));
    expect(received).toEqual([
      { id: "1", receipt: "r1", clientId: undefined, body: "" },
      { id: "4", receipt: "r4", clientId: undefined, body: "body" },
      { id: "5", receipt: "r5", clientId: undefined, body: "body" },
    ]);
  });

  test("no messages, no queues, no URL, no time", async () => {
    const url = "http://q/1/q";
    await withReply({}, async (api) => {
      expect(await api.receive(url, 1, NEVER)).toEqual([]);
      expect(await api.listQueues("x", undefined)).toEqual({ urls: [], next: undefined });
      expect(String(await reasonOf(api.createQueue("x")))).toContain("no URL");
      expect(String(await reasonOf(api.getLastModified(url)))).toContain("no time");
    });
    const Attributes = { LastModifiedTimestamp: "yesterday" };
    await withReply({ Attributes }, async (api) => {
      expect(String(await reasonOf(api.getLastModified(url)))).toContain("no time");
    });
  });
});
