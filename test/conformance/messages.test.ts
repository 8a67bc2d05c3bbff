import { afterAll, describe, expect, test } from "bun:test";

import vectors from "../vectors/messages.json";
import { expectedRefusal } from "./differences.ts";
import {
  ANSWER,
  CLIENT_GONE,
  expectReply,
  NO_PROXIES,
  OFFER,
  parsePollReply,
  Peers,
  type Reply,
  SUCCESS,
} from "./peers.ts";
import { startTarget } from "./target.ts";

const DEFAULT_FINGERPRINT = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";
const UNKNOWN_BRIDGE = '{"error":"bridge with requested fingerprint is unknown to the broker"}';
const PATTERN_REJECTED =
  '{"Status":"incorrect relay pattern","Offer":"","NAT":"","NextPoll":3600000,"RelayURL":""}';

type Vector = (typeof vectors.cases)[number];

// The tests below run one after the other, and each leaves the broker idle.
const broker = await startTarget();
afterAll(() => broker[Symbol.asyncDispose]());
const peers = new Peers(broker.url);

function send(vector: Vector): Promise<Reply> {
  return peers.post(vector.endpoint.slice(1), bodyOf(vector), peers.newAddress()).reply;
}

/** The exact bytes, which need not be text. */
function bodyOf(vector: Vector): Uint8Array<ArrayBuffer> {
  const repeat = /^"1\.0\\n" followed by (\d+) '\['$/.exec(vector.generator ?? "");
  if (repeat !== null) return Buffer.from(`1.0\n${"[".repeat(Number(repeat[1]))}`);
  return Buffer.from(vector.input_base64, "base64");
}

function field(vector: Vector, name: string): string | null {
  const fields: Readonly<Record<string, string | number | null | undefined>> = vector.fields ?? {};
  const value = fields[name];
  if (value === undefined) throw new Error(`${vector.name} has no ${name}`);
  return value === null ? null : String(value);
}

const asksForDefaultBridge = (vector: Vector) =>
  field(vector, "fingerprint")?.toUpperCase() === DEFAULT_FINGERPRINT;

const ofEndpoint = (endpoint: string, accepted: boolean) =>
  vectors.cases.filter((one) => one.endpoint === endpoint && one.accepted === accepted);

describe("a client's message that is refused", () => {
  for (const vector of ofEndpoint("/client", false)) {
    test(vector.name, async () => {
      const reply = await send(vector);
      expectReply(reply, 200);
      const expected = expectedRefusal(vector.go_error ?? "", vector.http_body ?? "");
      if (typeof expected === "string") expect(reply.text).toBe(expected);
      else expect(reply.text).toMatch(expected);
    });
  }
});

describe("a client's message that is accepted", () => {
  for (const vector of ofEndpoint("/client", true)) {
    test(`${vector.name}: finds no proxy`, async () => {
      const reply = await send(vector);
      expectReply(reply, 200);
      expect(reply.text).toBe(asksForDefaultBridge(vector) ? NO_PROXIES : UNKNOWN_BRIDGE);
    });
  }

  for (const vector of ofEndpoint("/client", true).filter(asksForDefaultBridge)) {
    test(`${vector.name}: is what its proxy is told`, async () => {
      const poll = peers.poll("sid");
      await peers.untilSessions(1);
      const client = send(vector);
      const told = parsePollReply(await poll.text());
      expect(told.status).toBe("client match");
      expect(told.offer).toBe(field(vector, "offer") ?? "");
      expect(told.nat).toBe(field(vector, "nat") ?? "");
      expect(await peers.answer("sid", ANSWER).text()).toBe(SUCCESS);
      expectReply(await client, 200);
    });
  }
});

describe("a proxy's poll that is refused", () => {
  for (const vector of ofEndpoint("/proxy", false)) {
    test(vector.name, async () => {
      const reply = await send(vector);
      expectReply(reply, 400);
      expect(reply.text).toBe("");
    });
  }
});

describe("a proxy's poll that is accepted", () => {
  for (const vector of ofEndpoint("/proxy", true)) {
    // Of the patterns here the empty one alone covers the broker's.
    if (field(vector, "AcceptedRelayPattern") === "") {
      test(`${vector.name}: is matched`, async () => {
        const poll = send(vector);
        await peers.untilSessions(1);
        const client = peers.offer(OFFER, { nat: "unrestricted" });
        expectReply(await poll, 200);
        const answer = peers.answer(field(vector, "Sid") ?? "", ANSWER);
        expect(await answer.text()).toBe(SUCCESS);
        expect((await client.reply).status).toBe(200);
      });
      continue;
    }
    test(`${vector.name}: gets as far as its relay pattern`, async () => {
      const reply = await send(vector);
      expectReply(reply, 200);
      expect(reply.text).toBe(PATTERN_REJECTED);
    });
  }
});

describe("an answer that is refused", () => {
  for (const vector of ofEndpoint("/answer", false)) {
    test(vector.name, async () => {
      const reply = await send(vector);
      expectReply(reply, 400);
      expect(reply.text).toBe("");
    });
  }
});

describe("an answer that is accepted", () => {
  for (const vector of ofEndpoint("/answer", true)) {
    test(`${vector.name}: finds its client gone`, async () => {
      const reply = await send(vector);
      expectReply(reply, 200);
      expect(reply.text).toBe(CLIENT_GONE);
    });

    test(`${vector.name}: is what its client is told`, async () => {
      const poll = peers.poll(field(vector, "Sid") ?? "");
      await peers.untilSessions(1);
      const client = peers.offer(OFFER);
      await poll.reply;
      expect((await send(vector)).text).toBe(SUCCESS);
      expect(JSON.parse(await client.text())).toEqual({ answer: field(vector, "Answer") });
    });
  }
});
