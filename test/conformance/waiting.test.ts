import { describe, expect, test } from "bun:test";

import { expected, SHORT_INTERVAL, VANISHED_PROXY } from "./differences.ts";
import {
  ANSWER,
  CLIENT_GONE,
  expectReply,
  OFFER,
  parsePollReply,
  Peers,
  TIMED_OUT,
} from "./peers.ts";
import { startTarget, type TargetOptions } from "./target.ts";

/** How long a test may take, in ms. */
const SLOW = 20_000;

/** A test that waits for a deadline, on a broker of its own. All wait together. */
function slow(
  name: string,
  run: (peers: Peers) => Promise<void>,
  options: Partial<TargetOptions> = {},
): void {
  test.concurrent(
    name,
    async () => {
      await using broker = await startTarget(options);
      await run(new Peers(broker.url));
    },
    SLOW,
  );
}

describe("deadlines", () => {
  slow("a proxy that nobody wants is sent home after 10 s", async (peers) => {
    const start = performance.now();
    const { nextPoll, ...rest } = parsePollReply(await peers.poll("s").text());
    expect(performance.now() - start).toBeWithin(9_900, 15_000);
    expect(rest).toEqual({ status: "no match", offer: "", nat: "", relayUrl: "" });
    expect(nextPoll).toBeWithin(5_000, 10_001);
    expect(await peers.answer("s", ANSWER).text()).toBe(CLIENT_GONE);
    await peers.untilSessions(0);
  });

  slow("a client whose proxy does not answer is told so after 5 s", async (peers) => {
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    const start = performance.now();
    const client = peers.offer(OFFER);
    await poll.reply;
    await peers.untilSessions(1);
    expect(await client.text()).toBe(TIMED_OUT);
    expect(performance.now() - start).toBeWithin(4_900, 8_000);
    await peers.untilSessions(0);
    expect(await peers.answer("s", ANSWER).text()).toBe(CLIENT_GONE);
  });

  slow("so is a legacy client, by its status", async (peers) => {
    peers.poll("s");
    await peers.untilSessions(1);
    const reply = await peers.post("client", OFFER).reply;
    expectReply(reply, 504);
    expect(reply.text).toBe("");
  });

  slow(
    `an interval below 10 s (differs: ${SHORT_INTERVAL.reason})`,
    async (peers) => {
      const [open, strict] = await Promise.all([
        peers.poll("s1").text(),
        peers.poll("s2", { nat: "strict" }).text(),
      ]);
      const { least, most } = expected(SHORT_INTERVAL);
      expect(parsePollReply(open).nextPoll).toBeWithin(least, most + 1);
      expect(parsePollReply(strict).nextPoll).toBeWithin(15_000, 20_001);
    },
    {
      pollIntervals: JSON.stringify({
        open_poll_interval: 1_000,
        moderate_poll_interval: 30_000,
        strict_poll_interval: 30_000,
      }),
    },
  );

  slow(`a proxy that has hung up (differs: ${VANISHED_PROXY.reason})`, async (peers) => {
    const poll = peers.poll("s");
    await peers.untilSessions(1);
    poll.hangUp();
    await peers.untilSessions(expected(VANISHED_PROXY).sessions);
    expect(await peers.offer(OFFER).text()).toBe(expected(VANISHED_PROXY).client);
  });
});
