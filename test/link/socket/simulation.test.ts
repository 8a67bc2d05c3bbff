import { expect, test } from "bun:test";

import fc from "fast-check";

import type { OfferOutcome, PollOutcome } from "../../../src/broker/broker.ts";
import { NAT_TYPES } from "../../../src/messages/nat-type.ts";
import { descriptionText } from "../../../src/messages/session-description.ts";
import type { Watched } from "../../kit/test-broker.ts";
import { SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";

/**
 * Random histories of peers at two frontends of one core: they poll, offer, answer, hang up and repeat session ids,
 * time passes, frontends die and cores restart, in any order. The core's invariants hold all the time; at the end
 * everybody has an outcome, and no answer went astray.
 */
const nat = fc.constantFrom(...NAT_TYPES);
const sid = fc.integer({ min: 0, max: 5 }).map((n) => `s${n}`);
const at = fc.constantFrom(0, 1);
const which = fc.nat(1000);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("poll" as const), at, sid, nat }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("offer" as const), at, nat }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), at, sid }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("proxy hangs up" as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("client hangs up" as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(6000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("frontend dies" as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("core restarts" as const) }) },
);

/** A core and two frontends, each of which may be replaced by another. */
class World {
  readonly path: string;
  core: TestCore;
  readonly frontends: [TestFrontend, TestFrontend];

  private constructor(path: string, core: TestCore, frontends: [TestFrontend, TestFrontend]) {
    this.path = path;
    this.core = core;
    this.frontends = frontends;
  }

  static async start(path: string): Promise<World> {
    const core = await TestCore.start(path);
    return new World(path, core, [await TestFrontend.start(path), await TestFrontend.start(path)]);
  }

  frontend(index: number): TestFrontend {
    return this.frontends[index === 0 ? 0 : 1];
  }

  /** Lets everything that was said arrive everywhere. */
  async settled(): Promise<void> {
    for (const frontend of [...this.frontends, ...this.frontends]) await frontend.settled();
  }

  async replaceFrontend(index: number): Promise<void> {
    this.frontend(index).broker.close();
    await until(() => this.core.socket.frontends === 1);
    this.frontends[index === 0 ? 0 : 1] = await TestFrontend.start(this.path);
  }

  async restartCore(): Promise<void> {
    await this.core.socket.stop();
    this.core = await TestCore.start(this.path);
    await until(() => this.frontends.every((frontend) => !frontend.broker.connected));
    for (const frontend of this.frontends) await frontend.connected();
  }

  advance(ms: number): void {
    this.core.matchmaker.clock.advance(ms);
    for (const frontend of this.frontends) frontend.clock.advance(ms);
  }

  async stop(): Promise<void> {
    for (const frontend of this.frontends) frontend.broker.close();
    await this.core.socket.stop();
  }
}

test("no history breaks an invariant, leaves anybody waiting or mixes up answers", async () => {
  using directory = new SocketDirectory();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = await World.start(directory.path);
      const polls: { readonly sid: string; readonly watched: Watched<PollOutcome> }[] = [];
      const offers: { readonly text: string; readonly watched: Watched<OfferOutcome> }[] = [];
      /** The offer that each answer was for, of those that were delivered. */
      const delivered = new Map<string, string>();
      for (const [i, next] of steps.entries()) {
        switch (next.do) {
          case "poll":
            polls.push({
              sid: next.sid,
              watched: world.frontend(next.at).poll(next.sid, { nat: next.nat }),
            });
            break;
          case "offer": {
            const text = `offer ${i}`;
            offers.push({ text, watched: world.frontend(next.at).offer(text, { nat: next.nat }) });
            break;
          }
          case "answer": {
            const outcome = await world.frontend(next.at).answer(next.sid, `answer ${i}`);
            if (outcome !== "delivered") break;
            const given = polls.findLast(
              (poll) => poll.sid === next.sid && poll.watched.outcome?.kind === "matched",
            )?.watched.outcome;
            if (given?.kind === "matched")
              delivered.set(`answer ${i}`, descriptionText(given.offer));
            break;
          }
          case "proxy hangs up":
            polls[next.which % Math.max(polls.length, 1)]?.watched.hangUp();
            break;
          case "client hangs up":
            offers[next.which % Math.max(offers.length, 1)]?.watched.hangUp();
            break;
          case "wait":
            world.advance(next.ms);
            break;
          case "frontend dies":
            await world.replaceFrontend(next.at);
            break;
          case "core restarts":
            await world.restartCore();
        }
        await world.settled();
        expect(world.core.matchmaker.broker.consistencyCheck()).toEqual([]);
      }
      world.advance(10_000);
      await world.settled();
      expect(polls.filter(({ watched }) => watched.outcome === undefined)).toEqual([]);
      expect(offers.filter(({ watched }) => watched.outcome === undefined)).toEqual([]);
      const answered = offers.flatMap(({ text, watched }) =>
        watched.outcome?.kind === "answered"
          ? [[descriptionText(watched.outcome.answer), text] as const]
          : [],
      );
      expect(new Map(answered)).toEqual(delivered);
      expect(answered.length).toBe(delivered.size);
      expect(world.core.load).toEqual({ waitingProxies: 0, clients: 0 });
      expect(world.core.bugs).toEqual([]);
      await world.stop();
    }),
    { numRuns: 100 },
  );
});
