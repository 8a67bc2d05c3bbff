import { expect, test } from "bun:test";

import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { clientPoll, holds, ListeningBroker, offer, REGION } from "./listening-broker.ts";
import { reasonOf } from "./reason.ts";
import { SqsPeer } from "./sqs-peer.ts";

test("without SQS there is no start, and the error says what is wrong", async () => {
  const gone = await FauxqsProcess.start();
  await gone[Symbol.asyncDispose]();
  using _ = new AwsEnvironment(gone.endpoint);
  const failure = await reasonOf(ListeningBroker.start({ queueName: "queue" }));
  expect(String(failure)).toStartWith(
    "Error: cannot listen to the SQS queue queue: ECONNREFUSED: ",
  );
});

test("SQS goes down and comes back, without its queues: the broker goes on and calls seldom", async () => {
  const first = await FauxqsProcess.start();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.use(new AwsEnvironment(first.endpoint));
  await using listening = await ListeningBroker.start();
  const { queue, proxies, events, log } = listening;
  await first[Symbol.asyncDispose]();
  await holds("failure", () => events.counts["receive failed"] !== undefined);

  cleanUp.use(await FauxqsProcess.start(first.port));
  using peer = new SqsPeer(REGION);
  await holds("queue", () => peer.has(queue));
  const proxy = listening.proxy("proxy");
  await peer.send(queue, clientPoll(1), "client");
  expect(await proxy).toBe(offer(1));
  await proxies.answer("proxy", "answer");
  expect(await peer.reply("client")).toBe('{"answer":"answer"}');

  // One when the connection broke, one when the queue was not there, perhaps some in between.
  expect(events.counts["receive failed"]).toBeWithin(2, 6);
  expect(log.text).toContain("receiving from SQS fails");
  expect(log.text).toContain("receiving from SQS again");
});
