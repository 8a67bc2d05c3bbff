import { describe, expect, test } from "bun:test";

import { NO_REFUSAL_EVENTS } from "../../../src/frontend/refusals.ts";
import { MessageHandler } from "../../../src/frontend/sqs/message-handler.ts";
import { RecentMessages } from "../../../src/frontend/sqs/recent-messages.ts";
import type { ReceivedMessage } from "../../../src/frontend/sqs/sqs-api.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { TestBroker } from "../../kit/test-broker.ts";
import { FakeSqs, message, serviceError, until, url } from "./fake-sqs.ts";
import { LogLines } from "./log-lines.ts";
import { SqsEventLog } from "./sqs-event-log.ts";

const OFFER = JSON.stringify({ type: "offer", sdp: "v=0\r\n" });
const POLL = `1.0\n${JSON.stringify({ offer: OFFER, nat: "unrestricted" })}`;
const QUEUE = url("broker-queue");

class Handling {
  readonly sqs = new FakeSqs();
  readonly proxies = new TestBroker();
  readonly events = new SqsEventLog();
  readonly log = new LogLines();
  readonly #handler = new MessageHandler({
    api: this.sqs,
    destination: { broker: this.proxies.broker, refusals: NO_REFUSAL_EVENTS },
    recent: new RecentMessages(100, 60_000),
    clock: this.proxies.clock,
    log: this.log.logger,
    events: this.events,
  });

  handle(received: ReceivedMessage): Promise<void> {
    return this.#handler.handle(QUEUE, received);
  }
}

const createQueue = "createQueue snowflake-client-client-1 -";
const send = (response: string) => `send ${url("snowflake-client-client-1")} ${response}`;
const deleteMessage = `deleteMessage ${QUEUE} receipt-1`;

test("an offer in, an answer out: first the client's queue is made, last the message is deleted", async () => {
  const { sqs, proxies, events, handle } = bound(new Handling());
  const proxy = proxies.poll("proxy");
  const handled = handle(message(1, { body: POLL }));
  await until(() => proxy.outcome !== undefined);
  expect(proxy.outcome).toMatchObject({ kind: "matched", offer: writeDescription(OFFER) });
  expect(sqs.calls).toEqual([createQueue]);
  await proxies.answer("proxy", "the answer");
  await handled;
  expect(sqs.calls).toEqual([createQueue, send('{"answer":"the answer"}'), deleteMessage]);
  expect(events.counts).toEqual({ received: 1, replied: 1 });
});

test("a client whose answer does not come in time is told so", async () => {
  const { sqs, proxies, handle } = bound(new Handling());
  const proxy = proxies.poll("proxy");
  const handled = handle(message(1, { body: POLL }));
  await until(() => proxy.outcome !== undefined);
  proxies.clock.advance(5_000);
  await handled;
  expect(sqs.calls[1]).toBe(send('{"error":"timed out waiting for answer!"}'));
});

describe("a message that is no poll gets the protocol's error", () => {
  const malformed = "malformed session description: ";
  test.each([
    ["", "unsupported message version"],
    ["1.0", "unsupported message version"],
    ["2.0\n{}", "unsupported message version"],
    [OFFER, "unsupported message version"],
    ["1.0\n{}", "no supplied offer"],
    ['1.0\n{"offer":"{}"}', `${malformed}cannot deserialize SessionDescription without type field`],
    [POLL, "no snowflake proxies currently available"],
    [`1.0\n${JSON.stringify({ offer: OFFER, fingerprint: "00" })}`, "cannot decode fingerprint"],
  ])("%p", async (body, error) => {
    const { sqs, events, handle } = bound(new Handling());
    await handle(message(1, { body }));
    expect(sqs.calls).toEqual([createQueue, send(JSON.stringify({ error })), deleteMessage]);
    expect(events.counts).toEqual({ received: 1, replied: 1 });
  });
});

describe("a message is counted, deleted and otherwise ignored", () => {
  test.each([
    ["no-client-id", { clientId: undefined }],
    ["malformed-client-id", { clientId: "" }],
    ["malformed-client-id", { clientId: "../broker-queue" }],
    ["malformed-client-id", { clientId: "x".repeat(64) }],
    ["malformed-client-id", { clientId: "client-1\n" }],
    ["too-large", { body: POLL + "\u00e9".repeat(50_000) }],
  ])("%s: %p", async (reason, fields) => {
    const { sqs, proxies, events, handle } = bound(new Handling());
    const proxy = proxies.poll("proxy");
    await handle(message(1, { body: POLL, ...fields }));
    expect(sqs.calls).toEqual([deleteMessage]);
    expect(events.counts).toEqual({ received: 1, [reason]: 1 });
    expect(proxy.outcome).toBeUndefined();
  });

  test("duplicate, while the first is in hand and after", async () => {
    const { sqs, proxies, events, handle } = bound(new Handling());
    const [first, second] = [proxies.poll("first"), proxies.poll("second")];
    const handled = handle(message(1, { body: POLL }));
    await until(() => first.outcome !== undefined);
    await handle(message(1, { body: POLL, receipt: "again" }));
    await proxies.answer("first", "answer");
    await handled;
    await handle(message(1, { body: POLL, receipt: "and again" }));
    expect(second.outcome).toBeUndefined();
    expect(events.counts).toEqual({ received: 3, replied: 1, duplicate: 2 });
    expect(sqs.count("send")).toBe(1);
    expect(sqs.count("deleteMessage")).toBe(3);
  });

  test("a body at the limit is read", async () => {
    const { events, handle } = bound(new Handling());
    const padding = " ".repeat(100_000 - POLL.length);
    await handle(message(1, { body: POLL + padding }));
    await handle(message(2, { body: `${POLL}${padding} ` }));
    expect(events.counts).toEqual({ received: 2, replied: 1, "too-large": 1 });
  });
});

describe("what fails", () => {
  test("no queue for the client: no exchange, and the message is deleted", async () => {
    const { sqs, proxies, events, handle } = bound(new Handling());
    const proxy = proxies.poll("proxy");
    sqs.failures.set("createQueue", serviceError("QueueDeletedRecently"));
    await handle(message(1, { body: POLL }));
    expect(sqs.calls).toEqual([createQueue, deleteMessage]);
    expect(events.counts).toEqual({ received: 1, "create-queue failed": 1 });
    expect(proxy.outcome).toBeUndefined();
  });

  test("sending and deleting: counted", async () => {
    const { sqs, events, handle } = bound(new Handling());
    sqs.failures.set("send", serviceError("OverLimit"));
    sqs.failures.set("deleteMessage", serviceError("ReceiptHandleIsInvalid"));
    await handle(message(1, { body: POLL }));
    expect(sqs.calls.at(-1)).toBe(deleteMessage);
    expect(events.counts).toEqual({ received: 1, "send failed": 1, "delete failed": 1 });
  });

  test("a broker that breaks its contract: logged, and the message is deleted", async () => {
    const handling = new Handling();
    handling.proxies.broker.offer = () => Promise.reject(new TypeError("secret"));
    const { sqs, log, handle } = bound(handling);
    await handle(message(1, { body: POLL }));
    expect(sqs.calls).toEqual([createQueue, deleteMessage]);
    expect(log.lines).toEqual([expect.stringContaining("error=TypeError")]);
    expect(log.text).not.toContain("secret");
  });

  test("is logged once a minute, and never says whose message it was", async () => {
    const { sqs, proxies, log, handle } = bound(new Handling());
    const queue = url("snowflake-client-client-1");
    sqs.failures.set("createQueue", serviceError("AccessDenied", `no right to create ${queue}`));
    for (let i = 0; i < 20; i++) await handle(message(i));
    expect(log.lines.length).toBe(1);
    expect(log.text).toContain("error=AccessDenied step=create-queue");
    proxies.clock.advance(60_000);
    await handle(message(30));
    expect(log.lines.length).toBe(2);
    expect(log.text).not.toContain("client-");
  });
});

/** The parts with a `handle` that needs no object before it. */
function bound(handling: Handling) {
  const { sqs, proxies, events, log } = handling;
  return { sqs, proxies, events, log, handle: (one: ReceivedMessage) => handling.handle(one) };
}
