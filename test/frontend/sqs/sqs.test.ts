import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { clientPoll, holds, ListeningBroker, offer, REGION } from "./listening-broker.ts";
import { reasonOf } from "./reason.ts";
import { SqsPeer } from "./sqs-peer.ts";

const PROFILES = `
[profile north]
region = eu-north-1
aws_access_key_id = n
aws_secret_access_key = n
[profile nowhere]
aws_access_key_id = w
aws_secret_access_key = w
`;

let fauxqs: FauxqsProcess;
let environment: AwsEnvironment;
let peer: SqsPeer;

beforeAll(async () => {
  fauxqs = await FauxqsProcess.start();
  environment = new AwsEnvironment(fauxqs.endpoint, PROFILES);
  peer = new SqsPeer(REGION);
});

afterAll(async () => {
  peer[Symbol.dispose]();
  environment[Symbol.dispose]();
  await fauxqs[Symbol.asyncDispose]();
});

function allDeleted(queue: string): Promise<void> {
  return holds("empty queue", async () => (await peer.undeleted(queue)) === 0);
}

test("an offer in, an answer out", async () => {
  await using listening = await ListeningBroker.start();
  const { queue, proxies, events, log } = listening;
  const proxy = listening.proxy("proxy");
  await peer.send(queue, clientPoll(1), "0123456789abcdef");
  expect(await proxy).toBe(offer(1));
  expect(await peer.has("snowflake-client-0123456789abcdef")).toBe(true);
  await proxies.answer("proxy", "answer");
  expect(await peer.reply("0123456789abcdef")).toBe('{"answer":"answer"}');
  await allDeleted(queue);
  expect(events.counts).toEqual({ received: 1, replied: 1 });
  expect(log.lines.length).toBe(1);
  expect(log.text).toContain(`listening to SQS queue=${queue} region=${REGION} url=`);
});

test("500 clients at once: each gets the answer to its own offer", async () => {
  await using listening = await ListeningBroker.start();
  const { queue, proxies, events } = listening;
  const numbers = Array.from({ length: 500 }, (_, number) => number);
  const answered = numbers.map(async (number) => {
    const sid = `proxy ${number}`;
    await proxies.answer(sid, `answer to ${await listening.proxy(sid)}`);
  });
  await Promise.all(
    numbers.map((number) => peer.send(queue, clientPoll(number), `many-${number}`)),
  );
  await Promise.all(answered);
  await holds("replies", () => events.counts["replied"] === numbers.length);
  const replies = await Promise.all(numbers.map((number) => peer.reply(`many-${number}`)));
  expect(replies).toEqual(
    numbers.map((number) => JSON.stringify({ answer: `answer to ${offer(number)}` })),
  );
  await allDeleted(queue);
  expect(events.counts).toEqual({ received: 500, replied: 500 });
}, 30_000);

test("a client whose proxy does not answer is told so", async () => {
  await using listening = await ListeningBroker.start();
  const proxy = listening.proxy("silent");
  await peer.send(listening.queue, clientPoll(1), "patient");
  await proxy;
  listening.proxies.clock.advance(5_000);
  expect(await peer.reply("patient")).toBe('{"error":"timed out waiting for answer!"}');
});

test("messages that are no polls, and hostile client ids", async () => {
  await using listening = await ListeningBroker.start();
  const { queue, events, proxies } = listening;
  const proxy = proxies.poll("proxy");
  const hostile = ["../x", "a b", "x".repeat(64), ".fifo", "é", "a/b", "a\n"];
  await Promise.all([
    ...hostile.map((id) => peer.send(queue, clientPoll(1), id)),
    peer.send(queue, clientPoll(1)),
    peer.send(queue, "x".repeat(100_001), "too-large"),
    peer.send(queue, "garbage", "garbage"),
    peer.send(queue, offer(1), "legacy"),
  ]);
  const error = '{"error":"unsupported message version"}';
  expect(await peer.reply("garbage")).toBe(error);
  expect(await peer.reply("legacy")).toBe(error);
  await allDeleted(queue);
  expect(events.counts).toEqual({
    received: hostile.length + 4,
    "malformed-client-id": hostile.length,
    "no-client-id": 1,
    "too-large": 1,
    replied: 2,
  });
  expect(proxy.outcome).toBeUndefined();
  expect(await peer.has("snowflake-client-too-large")).toBe(false);
});

describe("a stop", () => {
  test("lets the messages in hand finish, and takes nothing more", async () => {
    await using listening = await ListeningBroker.start();
    const { queue, proxies, events } = listening;
    const proxy = listening.proxy("slow");
    await peer.send(queue, clientPoll(1), "in-hand");
    await proxy;
    const stopped = listening.stop();
    await peer.send(queue, clientPoll(2), "too-late");
    await proxies.answer("slow", "late, but there");
    await stopped;
    expect(await peer.reply("in-hand")).toBe('{"answer":"late, but there"}');
    expect(events.counts).toEqual({ received: 1, replied: 1 });
    expect(await peer.undeleted(queue)).toBe(1);
  });

  test("does not wait for the long poll, however often it is asked for", async () => {
    await using listening = await ListeningBroker.start();
    const begin = performance.now();
    await Promise.all([listening.stop(), listening.stop()]);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

test("each profile has a queue of its own, in its own region or in the given one", async () => {
  await using listening = await ListeningBroker.start({ profiles: ["north", "nowhere"] });
  const { queue, log, events } = listening;
  expect(log.text).toContain("profile=north region=eu-north-1");
  expect(log.text).toContain(`profile=nowhere region=${REGION}`);
  using north = new SqsPeer("eu-north-1");
  await north.send(queue, clientPoll(1), "north");
  await peer.send(queue, clientPoll(2), "elsewhere");
  const denied = '{"error":"no snowflake proxies currently available"}';
  expect(await north.reply("north")).toBe(denied);
  expect(await peer.reply("elsewhere")).toBe(denied);
  expect(events.counts).toEqual({ received: 2, replied: 2 });
});

test("an empty profile is the default one, which the environment is part of", async () => {
  await using listening = await ListeningBroker.start({ profiles: [""] });
  expect(listening.log.text).toContain(`profile="" region=${REGION}`);
});

describe("the start fails", () => {
  test("if one of the profiles does not exist", async () => {
    const failure = await reasonOf(ListeningBroker.start({ profiles: ["north", "missing"] }));
    expect(String(failure)).toMatch(
      /^Error: cannot listen to the SQS queue broker-\S+ of the profile "missing": .*redentials/,
    );
  });

  test("if the queue exists with other attributes", async () => {
    await using first = await ListeningBroker.start();
    await peer.setRetention(first.queue, 60);
    const failure = await reasonOf(ListeningBroker.start({ queueName: first.queue }));
    expect(String(failure)).toMatch(/^Error: cannot listen to .*QueueNameExists: /);
  });

  test("if the clean-up would take the queue for a client's", async () => {
    const failure = await reasonOf(ListeningBroker.start({ queueName: "snowflake-client-queue" }));
    expect(String(failure)).toContain("would be deleted");
  });

  test("if the region is none", async () => {
    const failure = await reasonOf(ListeningBroker.start({ region: "not a region" }));
    expect(String(failure)).toContain("cannot listen to the SQS queue");
  });
});
