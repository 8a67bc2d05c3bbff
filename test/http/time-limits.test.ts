import { expect, test } from "bun:test";

import fc from "fast-check";

import {
  TICK,
  TIME_LIMITS,
  type Timed,
  TimeKeeper,
  type Waiting,
} from "../../src/http/time-limits.ts";

class Peer implements Waiting<Peer> {
  timed: Timed | undefined = undefined;
  since = 0;
  earlier: Peer | undefined = undefined;
  later: Peer | undefined = undefined;
}

const LIMITS = { ...TIME_LIMITS, handshake: 3_000, request: 10_000, head: 2_000 };

function keeper() {
  const ended: [Peer, Timed][] = [];
  const times = new TimeKeeper<Peer>(LIMITS, (peer, timed) => ended.push([peer, timed]));
  const tick = (ticks: number, busy = false) => {
    for (let n = 0; n < ticks; n++) times.tick(busy);
  };
  return { times, ended, tick };
}

test("a peer that keeps us waiting for too long is told of once", () => {
  const { times, ended, tick } = keeper();
  const peer = new Peer();
  times.start(peer, "handshake");
  tick(2);
  expect(ended).toEqual([]);
  tick(10);
  expect(ended).toEqual([[peer, "handshake"]]);
  expect(peer.timed).toBeUndefined();
});

test("the time begins anew with what is awaited next, and ends with nothing", () => {
  const { times, ended, tick } = keeper();
  const peer = new Peer();
  times.start(peer, "handshake");
  tick(2);
  times.start(peer, "head");
  tick(1);
  times.start(peer, undefined);
  tick(100);
  expect(ended).toEqual([]);
});

test("while we are busy ourselves, time goes four times slower, and does not stand still", () => {
  const { times, ended, tick } = keeper();
  const peer = new Peer();
  times.start(peer, "handshake");
  tick(11, true);
  expect(ended).toEqual([]);
  tick(1, true);
  expect(ended).toEqual([[peer, "handshake"]]);
});

test("the most dispensable has idled longest, or else keeps us waiting; never the one that waits", () => {
  const { times } = keeper();
  const [first, second, third] = [new Peer(), new Peer(), new Peer()];
  times.start(third, "head");
  times.start(first, "handshake");
  expect(times.mostDispensable).toBe(first);
  for (const peer of [first, second]) times.start(peer, "request");
  expect(times.mostDispensable).toBe(first);
  times.start(first, "request");
  expect(times.mostDispensable).toBe(second);
  for (const peer of [first, second]) times.start(peer, undefined);
  expect(times.mostDispensable).toBe(third);
  times.start(third, undefined);
  expect(times.mostDispensable).toBeUndefined();
});

test("whatever peers do, each is held to its own time", () => {
  const timed = fc.constantFrom<Timed | undefined>("handshake", "request", "head", undefined);
  const action = fc.oneof(fc.record({ peer: fc.nat(5), timed }), fc.constant("tick" as const));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const { times, ended, tick } = keeper();
      const peers = Array.from({ length: 6 }, () => new Peer());
      /** What each is held to, and when that ends; the obvious way. */
      const model = new Map<Peer, { timed: Timed; end: number }>();
      let now = 0;
      for (const next of actions) {
        if (next !== "tick") {
          const peer = peers[next.peer];
          if (peer === undefined) continue;
          times.start(peer, next.timed);
          if (next.timed === undefined) model.delete(peer);
          else model.set(peer, { timed: next.timed, end: now + LIMITS[next.timed] });
          continue;
        }
        now += TICK;
        ended.length = 0;
        tick(1);
        const due = [...model].filter(([, { end }]) => end <= now);
        expect(new Set(ended.map(([peer]) => peer))).toEqual(new Set(due.map(([peer]) => peer)));
        for (const [peer] of due) model.delete(peer);
      }
    }),
  );
});
