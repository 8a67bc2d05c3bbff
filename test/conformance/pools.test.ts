import { afterAll, describe, expect, test } from "bun:test";

import { ANSWER, description, NO_PROXIES, OFFER, parsePollReply, Peers, SUCCESS } from "./peers.ts";
import { startTarget } from "./target.ts";

// The tests below run one after the other, and each leaves the broker idle.
const broker = await startTarget();
afterAll(() => broker[Symbol.asyncDispose]());
const peers = new Peers(broker.url);

describe("which proxy a client gets", () => {
  const POOLS = { open: "open", moderate: "moderate", strict: "strict" } as const;
  const POOL_OF_PROXY = {
    unrestricted: POOLS.open,
    open: POOLS.open,
    moderate: POOLS.moderate,
    restricted: POOLS.strict,
    strict: POOLS.strict,
    unknown: POOLS.strict,
  };
  const POOLS_FOR_CLIENT = {
    unrestricted: [POOLS.strict, POOLS.moderate, POOLS.open],
    open: [POOLS.strict, POOLS.moderate, POOLS.open],
    moderate: [POOLS.moderate, POOLS.open],
    restricted: [POOLS.open],
    strict: [POOLS.open],
    unknown: [POOLS.open],
  };
  const clients = Object.entries(POOLS_FOR_CLIENT);

  for (const [nat, pools] of clients) {
    test(`a client with NAT ${nat} looks in these pools only: ${pools.join(", ")}`, async () => {
      for (const [proxyNat, pool] of Object.entries(POOL_OF_PROXY)) {
        const poll = peers.poll("s", { nat: proxyNat });
        await peers.untilSessions(1);
        let client = peers.offer(OFFER, { nat });
        if (!pools.some((one) => one === pool)) {
          expect(await client.text()).toBe(NO_PROXIES);
          client = peers.offer(OFFER, { nat: "open" });
        }
        expect(parsePollReply(await poll.text()).status).toBe("client match");
        expect(await peers.answer("s", ANSWER).text()).toBe(SUCCESS);
        expect((await client.reply).status).toBe(200);
      }
    });

    test(`a client with NAT ${nat} looks in this order: ${pools.join(", ")}`, async () => {
      const polls = pools.map((pool) => ({ pool, poll: peers.poll(pool, { nat: pool }) }));
      await peers.untilSessions(pools.length);
      for (const { pool, poll } of polls) {
        const client = peers.offer(description("offer", pool), { nat });
        const told = parsePollReply(await poll.text());
        expect(told).toMatchObject({ offer: description("offer", pool), nat });
        expect(await peers.answer(pool, ANSWER).text()).toBe(SUCCESS);
        await client.reply;
      }
      expect(await peers.offer(OFFER, { nat }).text()).toBe(NO_PROXIES);
    });
  }

  test("within a pool, the one that serves the fewest", async () => {
    const polls = new Map([16, 0, 24, 8].map((n) => [n, peers.poll(`s${n}`, { clients: n })]));
    await peers.untilSessions(4);
    for (const n of [0, 8, 16, 24]) {
      const client = peers.offer(description("offer", `o${n}`));
      const told = parsePollReply((await polls.get(n)?.text()) ?? "");
      expect(told.offer).toBe(description("offer", `o${n}`));
      expect(await peers.answer(`s${n}`, ANSWER).text()).toBe(SUCCESS);
      await client.reply;
    }
  });
});
