import { expect, test } from "bun:test";

import { BrokerProcess, runBroker, untilHolds } from "../../kit/broker-process.ts";
import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { clientPoll, offer, REGION } from "./listening-broker.ts";
import { SqsPeer } from "./sqs-peer.ts";

const POLL = '{"Sid":"s","Version":"1.3","NAT":"unrestricted","AcceptedRelayPattern":"$"}';
const ANSWER =
  '{"Version":"1.3","Sid":"s","Answer":"{\\"type\\":\\"answer\\",\\"sdp\\":\\"a=candidate\\"}"}';

test("the broker as a process takes clients from its queue, counts them, and drains", async () => {
  await using fauxqs = await FauxqsProcess.start();
  using _ = new AwsEnvironment(fauxqs.endpoint);
  await using broker = await BrokerProcess.start(
    "--broker-sqs-name=clients",
    `--broker-sqs-region=${REGION}`,
  );
  const post = (path: string, body: string) =>
    fetch(broker.url + path, { method: "POST", body }).then((response) => response.text());
  using peer = new SqsPeer(REGION);

  const polled = post("proxy", POLL);
  await untilHolds("waiting", async () => {
    const page = await fetch(`${broker.url}debug`);
    return (await page.text()).startsWith("current snowflakes available: 1");
  });
  const clientId = crypto.randomUUID();
  await peer.send("clients", clientPoll(1), clientId);
  expect(JSON.parse(await polled)).toMatchObject({ Status: "client match", Offer: offer(1) });
  await post("answer", ANSWER);
  expect(await peer.reply(clientId)).toBe(
    '{"answer":"{\\"type\\":\\"answer\\",\\"sdp\\":\\"a=candidate\\"}"}',
  );
  const figures = await fetch(`${broker.url}prometheus`).then((response) => response.text());
  expect(figures).toContain('rendezvous_method="sqs",status="matched"} 8');
  expect(figures).toContain('snowflake_rounded_sqs_events_total{event="received"} 8');

  broker.signal("SIGTERM");
  expect(await broker.exited).toBe(0);
  expect(broker.log).not.toContain(clientId);
});

test("a queue that can't be had ends the start", async () => {
  using _ = new AwsEnvironment("http://127.0.0.1:9");
  const { exitCode, stderr } = await runBroker(
    ...["--disable-tls", "--addr=127.0.0.1:0", "--disable-geoip"],
    ...["--broker-sqs-name=q", `--broker-sqs-region=${REGION}`],
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain(" ERROR cannot listen to the SQS queue q: ");
});
