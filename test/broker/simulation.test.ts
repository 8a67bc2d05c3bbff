import { expect, test } from "bun:test";

import fc from "fast-check";

import type { OfferOutcome, PollOutcome } from "../../src/broker/broker.ts";
import { NAT_TYPES } from "../../src/messages/nat-type.ts";
import { descriptionText } from "../../src/messages/session-description.ts";
import { settle, TestBroker, type Watched } from "../kit/test-broker.ts";

/**
 * Thousands of random histories: peers poll, offer, answer, hang up, repeat session ids and let time pass in any order.
 * After every step the invariants hold; at the end everybody has an outcome, and no answer went astray.
 */
const nat = fc.constantFrom(...NAT_TYPES);
const sid = fc.integer({ min: 0, max: 5 }).map((n) => `s${n}`);
const which = fc.nat(1000);
const step = fc.oneof(
  fc.record({ do: fc.constant("poll" as const), sid, nat, clients: fc.nat(3) }),
  fc.record({ do: fc.constant("offer" as const), nat }),
  fc.record({ do: fc.constant("answer" as const), sid }),
  fc.record({ do: fc.constant("proxy hangs up" as const), which }),
  fc.record({ do: fc.constant("client hangs up" as const), which }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat(6000) }),
);

interface PollRecord {
  readonly sid: string;
  readonly watched: Watched<PollOutcome>;
}

test("no history breaks an invariant, leaves anybody waiting or mixes up answers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const t = new TestBroker();
      const polls: PollRecord[] = [];
      const offers: { readonly text: string; readonly watched: Watched<OfferOutcome> }[] = [];
      /** The offer that each poll was given, by the answer it would be given back. */
      const answers = new Map<string, string>();
      for (const [i, next] of steps.entries()) {
        switch (next.do) {
          case "poll":
            polls.push({
              sid: next.sid,
              watched: t.poll(next.sid, { nat: next.nat, clients: next.clients }),
            });
            break;
          case "offer":
            offers.push({ text: `offer ${i}`, watched: t.offer(`offer ${i}`, { nat: next.nat }) });
            break;
          case "answer": {
            const outcome = await t.answer(next.sid, `answer ${i}`);
            if (outcome !== "delivered") break;
            const given = polls.findLast(
              (poll) => poll.sid === next.sid && poll.watched.outcome?.kind === "matched",
            )?.watched.outcome;
            if (given?.kind === "matched") answers.set(`answer ${i}`, descriptionText(given.offer));
            break;
          }
          case "proxy hangs up":
            polls[next.which % Math.max(polls.length, 1)]?.watched.hangUp();
            break;
          case "client hangs up":
            offers[next.which % Math.max(offers.length, 1)]?.watched.hangUp();
            break;
          case "wait":
            t.clock.advance(next.ms);
        }
        await settle();
        expect(t.broker.consistencyCheck()).toEqual([]);
      }
      t.clock.advance(10_000);
      await settle();
      for (const { watched } of polls) expect(watched.outcome).toBeDefined();
      const answered: string[] = [];
      for (const { text, watched } of offers) {
        expect(watched.outcome).toBeDefined();
        if (watched.outcome?.kind !== "answered") continue;
        const answer = descriptionText(watched.outcome.answer);
        answered.push(answer);
        expect(answers.get(answer)).toBe(text);
      }
      expect(new Set(answered).size).toBe(answered.length);
      expect(answers.size).toBe(answered.length);
      expect(t.broker.load).toEqual({ waitingProxies: 0, clients: 0 });
    }),
    { numRuns: 1000 },
  );
});
