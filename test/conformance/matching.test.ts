import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import {
  EARLY_ANSWER,
  expected,
  NO_RELAY_PATTERN,
  type UPSTREAM_NEVER_ANSWERS,
} from "./differences.ts";
import {
  ANSWER,
  AT_ONCE,
  CLIENT_GONE,
  description,
  type Exchange,
  expectReply,
  OFFER,
  parsePollReply,
  Peers,
  SUCCESS,
} from "./peers.ts";
import { startTarget, TARGET, type Target } from "./target.ts";

let broker: Target;
let peers: Peers;

// Each test has a broker of its own, so that none finds what a failed one left.
beforeEach(async () => {
  broker = await startTarget();
  peers = new Peers(broker.url);
});
afterEach(() => broker[Symbol.asyncDispose]());

/** A proxy waits alone, and a client asks: the client's request, once the proxy has been told of it. */
async function match(poll: Exchange): Promise<Exchange> {
  await peers.untilSessions(1);
  const client = peers.offer(OFFER);
  expect(parsePollReply(await poll.text()).status).toBe("client match");
  return client;
}

describe("a match", () => {
  test("all three are told at once", async () => {
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const client = peers.offer(OFFER, { nat: "restricted" });
    const told = await poll.reply;
    const { nextPoll, ...rest } = parsePollReply(told.text);
    expect(rest).toEqual({
      status: "client match",
      offer: OFFER,
      nat: "restricted",
      relayUrl: "wss://snowflake.torproject.net/",
    });
    expect(nextPoll).toBeWithin(15_000, 20_001);
    await peers.untilSessions(1);

    const answered = await peers.answer("s", ANSWER).reply;
    expect(answered.text).toBe(SUCCESS);
    const served = await client.reply;
    expect(served.text).toBe(JSON.stringify({ answer: ANSWER }));
    for (const reply of [told, answered, served]) expectReply(reply, 200);
    await peers.untilSessions(0);
  });

  test.each([
    ["restricted", "restricted"],
    ["open", "open"],
    [undefined, "unknown"],
  ])("of a legacy client with the NAT header %p", async (header, nat) => {
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const headers = header === undefined ? [] : [["Snowflake-NAT-Type", header] as const];
    const client = peers.post("client", OFFER, headers);
    const told = parsePollReply(await poll.text());
    expect(told).toMatchObject({ status: "client match", offer: OFFER, nat });
    expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
    const reply = await client.reply;
    expectReply(reply, 200);
    expect(reply.text).toBe(ANSWER);
  });

  test("is shown in /debug while it waits and while it is matched", async () => {
    const page = [
      "current snowflakes available: 2",
      "\twebext proxies: 2",
      "\tunknown proxies: 0",
      "NAT Types available:",
      "\trestricted: 0",
      "\tunrestricted: 1",
      "\tstrict: 1",
      "\tmoderate: 0",
      "\topen: 0",
      "\tunknown: 0",
    ].join("\n");
    const polls = [
      peers.poll("s1", { type: "webext" }),
      peers.poll("s2", { type: "webext", nat: "strict" }),
    ];
    await peers.untilSessions(2);
    expect(await peers.debug()).toBe(page);
    const clients = [peers.offer(OFFER), peers.offer(OFFER, { nat: "open" })];
    await Promise.all(polls.map((poll) => poll.reply));
    expect(await peers.debug()).toBe(page);
    for (const sid of ["s1", "s2"]) {
      expect(await peers.answer(sid, ANSWER).text()).toBe(SUCCESS);
    }
    await Promise.all(clients.map((client) => client.reply));
    await peers.untilSessions(0);
  });
});

describe("what is passed on is not touched", () => {
  test("odd characters, written in the protocol's way", async () => {
    const odd = (type: string) =>
      `{\t"type":"${type}",\n"x":[null],"sdp":"<&>\u2028\u2029\u{1f600}\u00e9\u007f\ufffd/"}`;
    const written = (type: string) =>
      String.raw`{\t\"type\":\"${type}\",\n\"x\":[null],\"sdp\":\"\u003c\u0026\u003e\u2028\u2029` +
      `\u{1f600}\u00e9\u007f\ufffd/${String.raw`\"}`}`;
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const client = peers.offer(odd("offer"));
    expect(await poll.text()).toContain(`"Offer":"${written("offer")}","NAT":`);
    const answer = peers.post(
      "answer",
      JSON.stringify({ Version: "1.3", Sid: "s", Answer: odd("answer"), x: "a=candidate" }),
    );
    expect(await answer.text()).toBe(SUCCESS);
    expect(await client.text()).toBe(`{"answer":"${written("answer")}"}`);
  });

  test("messages as long as they may be", async () => {
    const filled = (frame: string, by: string) => by.repeat(100_000 - frame.length);
    const emptyOffer = JSON.stringify({ offer: description("offer", "") });
    const offer = description("offer", filled(`1.0\n${emptyOffer}`, "<"));
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const client = peers.offer(offer);
    expect(parsePollReply(await poll.text()).offer).toBe(offer);

    const emptyAnswer = { Version: "1.3", Sid: "s", Answer: description("answer", "") };
    const answer = description("answer", filled(JSON.stringify(emptyAnswer), ">"));
    expect(await peers.answer("s", answer).text()).toBe(SUCCESS);
    expect(JSON.parse(await client.text())).toEqual({ answer });
  });

  test("a session id of any characters", async () => {
    const sid = '<\u2028"\\ \u0000\u{1f600}';
    const client = await match(peers.poll(sid));
    expect(await peers.answer(sid, ANSWER).text()).toBe(SUCCESS);
    expect((await client.reply).status).toBe(200);
  });
});

describe("an answer that nobody waits for", () => {
  test("to a session that never was", async () => {
    const reply = await peers.answer("nobody", ANSWER).reply;
    expectReply(reply, 200);
    expect(reply.text).toBe(CLIENT_GONE);
  });

  test("of a proxy that has answered", async () => {
    const client = await match(peers.poll("s"));
    expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
    expect(await client.text()).toBe(JSON.stringify({ answer: ANSWER }));
    expect(await peers.answer("s", description("answer", "b")).text()).toBe(CLIENT_GONE);
  });

  test("of a proxy whose client has hung up", async () => {
    const client = await match(peers.poll("s"));
    client.hangUp();
    await peers.untilSessions(0);
    expect(await peers.answer("s", ANSWER).text()).toBe(CLIENT_GONE);
  });

  test(`of a proxy without a client yet (differs: ${EARLY_ANSWER.reason})`, async () => {
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const early = peers.answer("s", description("answer", "early"));
    const refused = expected(EARLY_ANSWER) === "refused";
    if (refused) expect(await early.text()).toBe(CLIENT_GONE);

    const client = await match(poll);
    const answer = refused ? peers.answer("s", ANSWER) : early;
    expect(await answer.text()).toBe(SUCCESS);
    const given = refused ? ANSWER : description("answer", "early");
    expect(await client.text()).toBe(JSON.stringify({ answer: given }));
  });
});

if (TARGET !== "upstream") {
  describe("what upstream never answers", () => {
    const tests: Readonly<Record<keyof typeof UPSTREAM_NEVER_ANSWERS, () => Promise<void>>> = {
      async "an answer when no client comes"() {
        const poll = peers.poll("s");
        await peers.untilSessions(1);
        expect(await peers.answer("s", ANSWER).text()).toBe(CLIENT_GONE);
        poll.hangUp();
      },

      async "one of two answers at once"() {
        const client = await match(peers.poll("s"));
        const answers = ["a", "b"].map((name) => description("answer", name));
        const told = await Promise.all(answers.map((answer) => peers.answer("s", answer).text()));
        expect(told.toSorted()).toEqual([CLIENT_GONE, SUCCESS]);
        const taken = answers[told.indexOf(SUCCESS)];
        expect(await client.text()).toBe(JSON.stringify({ answer: taken }));
      },

      async "an answer whose session id was polled again after the match"() {
        const client = await match(peers.poll("s"));
        expect(parsePollReply(await peers.poll("s").text()).status).toBe("no match");
        expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
        expect(await client.text()).toBe(JSON.stringify({ answer: ANSWER }));
      },

      async "an answer whose session id was polled twice before the match"() {
        const older = peers.poll("s");
        await peers.untilSessions(1);
        const newer = peers.poll("s");
        expect(parsePollReply(await older.text()).status).toBe("no match");
        const client = await match(newer);
        expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
        expect(await client.text()).toBe(JSON.stringify({ answer: ANSWER }));
      },
    };
    for (const [name, run] of Object.entries(tests)) test(name, run, AT_ONCE);
  });
}

describe("bridges and relay patterns", () => {
  const FINGERPRINT = "8838024498816A039FCBBAB14E6F40A0843051FA";
  const RELAY_URL = "wss://a.snowflake.torproject.net:1234/x?<y>";
  const BRIDGES = `{"displayName":"","webSocketAddress":"${RELAY_URL}","fingerprint":"${FINGERPRINT}"}\n`;

  test("a proxy is told where the bridge is that its client asks for", async () => {
    await using listed = await startTarget({ bridges: BRIDGES });
    const others = new Peers(listed.url);
    const poll = others.poll("s");
    await others.untilSessions(1);
    expect(await others.offer(OFFER).text()).toBe(
      '{"error":"bridge with requested fingerprint is unknown to the broker"}',
    );
    const client = others.offer(OFFER, { fingerprint: FINGERPRINT.toLowerCase() });
    const text = await poll.text();
    expect(text).toEndWith(`"RelayURL":"${RELAY_URL.replace("<y>", String.raw`\u003cy\u003e`)}"}`);
    expect(await others.answer("s", ANSWER).text()).toBe(SUCCESS);
    await client.reply;
  });

  test.each(["01.snowflake.torproject.net$", "^snowflake.torproject.net$", "example.com", "^"])(
    "a proxy that accepts %p is told that this will not do",
    async (pattern) => {
      const told = parsePollReply(await peers.poll("s", { pattern }).text());
      expect(told).toEqual({
        status: "incorrect relay pattern",
        offer: "",
        nat: "",
        nextPoll: 3_600_000,
        relayUrl: "",
      });
    },
  );

  test.each(["", "$", "torproject.net$", "flake.torproject.net", "snowflake.torproject.net$"])(
    "a proxy that accepts %p will do",
    async (pattern) => {
      const client = await match(peers.poll("s", { pattern }));
      expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
      await client.reply;
    },
  );

  test(`without a pattern of the broker's (differs: ${NO_RELAY_PATTERN.reason})`, async () => {
    await using unset = await startTarget({ allowedRelayPattern: undefined });
    const others = new Peers(unset.url);
    const poll = others.poll("s");
    if (expected(NO_RELAY_PATTERN) === "client match") {
      await others.untilSessions(1);
      others.offer(OFFER);
    }
    expect(parsePollReply(await poll.text()).status).toBe(expected(NO_RELAY_PATTERN));
  });
});
