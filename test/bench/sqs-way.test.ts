import { expect, test } from "bun:test";

import { BadReply, isRecord } from "../../bench/messages.ts";
import { findBrokerQueue, SqsWay } from "../../bench/sqs-way.ts";

/** By action: status and body of each reply. */
type Replies = Readonly<Record<string, readonly (readonly [number, unknown])[]>>;

/** A service that gives the same replies, by action, again and again; the last one of each stays. */
function serve(replies: Replies) {
  const calls: { action: string; input: Record<string, unknown> }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const action = request.headers.get("X-Amz-Target")?.replace("AmazonSQS.", "") ?? "";
      const already = calls.filter((call) => call.action === action).length;
      const input: unknown = await request.json();
      calls.push({ action, input: isRecord(input) ? input : {} });
      const [status, body] = replies[action]?.[already] ?? replies[action]?.at(-1) ?? [400, {}];
      return Response.json(body, { status });
    },
  });
  const stop = () => void server.stop(true);
  return { port: server.port ?? 0, calls, [Symbol.dispose]: stop };
}

const SOUND: Replies = {
  SendMessage: [[200, { MessageId: "1" }]],
  CreateQueue: [[200, { QueueUrl: "http://sqs/own" }]],
  ReceiveMessage: [[200, { Messages: [{ Body: "the response" }] }]],
};

test("the message goes to the broker's queue, the response comes from the client's own", async () => {
  using sqs = serve(SOUND);
  const way = new SqsWay(sqs.port, "http://sqs/broker");
  expect(await way.exchange("the message")).toBe("the response");
  expect(await way.exchange("the message")).toBe("the response");
  way.close();
  expect(sqs.calls.map(({ action }) => action).slice(0, 3)).toEqual([
    "SendMessage",
    "CreateQueue",
    "ReceiveMessage",
  ]);
  const [send, create, receive, next] = sqs.calls.map(({ input }) => input);
  const id = String(create?.["QueueName"]).replace("snowflake-client-", "");
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(send).toEqual({
    QueueUrl: "http://sqs/broker",
    MessageBody: "the message",
    MessageAttributes: { ClientID: { DataType: "String", StringValue: id } },
  });
  expect(receive).toMatchObject({ QueueUrl: "http://sqs/own" });
  expect(JSON.stringify(next)).not.toContain(id);
});

const FAULTS: readonly [string, Replies, string][] = [
  ["a call that fails", { ...SOUND, CreateQueue: [[500, {}]] }, "SQS CreateQueue: HTTP status 500"],
  ["no message in time", { ...SOUND, ReceiveMessage: [[200, {}]] }, "SQS: no reply"],
  ["a message without text", { ...SOUND, ReceiveMessage: [[200, { Messages: [{}] }]] }, "no reply"],
  ["what is no object", { ...SOUND, SendMessage: [[200, []]] }, "SQS SendMessage: not an object"],
];

test.each(FAULTS)("%s is a bad reply", async (_, replies, reason) => {
  using sqs = serve(replies);
  const way = new SqsWay(sqs.port, "http://sqs/broker");
  let thrown: unknown;
  try {
    await way.exchange("m");
  } catch (error) {
    thrown = error;
  }
  way.close();
  expect(thrown).toBeInstanceOf(BadReply);
  expect(String(thrown)).toContain(reason);
});

test("the broker's queue is waited for", async () => {
  using sqs = serve({
    GetQueueUrl: [
      [400, { __type: "com.amazonaws.sqs#QueueDoesNotExist" }],
      [200, { QueueUrl: "http://sqs/broker" }],
    ],
  });
  expect(await findBrokerQueue(sqs.port)).toBe("http://sqs/broker");
  expect(sqs.calls).toHaveLength(2);
});
