import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { VirtualClock } from "../../src/simulate/virtual-clock.ts";

describe("the virtual clock", () => {
  test("fires in the order of time, and of setting where times are equal", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(20), cancel: fc.boolean() })), (timers) => {
        const clock = new VirtualClock();
        const fired: { readonly at: number; readonly i: number }[] = [];
        const set = timers.map(({ at }, i) =>
          clock.callAt(at, () => void fired.push({ at: clock.now(), i })),
        );
        for (const [i, { cancel }] of timers.entries()) if (cancel) set[i]?.();
        const kept = timers.flatMap(({ at, cancel }, i) => (cancel ? [] : [{ at, i }]));
        expect(clock.timers).toBe(kept.length);
        clock.advance(20);
        expect(fired).toEqual(kept.toSorted((a, b) => a.at - b.at || a.i - b.i));
        expect(clock.timers).toBe(0);
        expect(clock.now()).toBe(20);
      }),
    );
  });

  test("settles after each timer, at its time", () => {
    const settled: number[] = [];
    const clock: VirtualClock = new VirtualClock(() => settled.push(clock.now()));
    clock.callAt(5, () => undefined);
    clock.callAt(5, () => undefined);
    clock.callAt(8, () => undefined);
    clock.advance(10);
    expect(settled).toEqual([5, 5, 8]);
  });

  test("takes a timer back once, also when it has fired", () => {
    const clock = new VirtualClock();
    const cancel = clock.callAt(1, () => undefined);
    clock.callAt(50, () => undefined);
    clock.advance(10);
    cancel();
    cancel();
    expect(clock.timers).toBe(1);
  });

  test("never goes back for a timer that is late", () => {
    const clock = new VirtualClock();
    clock.advance(10);
    let at = 0;
    clock.callAt(3, () => (at = clock.now()));
    clock.advance(1);
    expect(at).toBe(10);
  });
});
