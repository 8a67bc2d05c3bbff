/** When a simulated client asks, and what it says of its NAT: the rules of the deployed ones. */

import { describe, expect, test } from "bun:test";

import { pausesOf, Stage } from "./stage.ts";

const SECOND = 1_000;

describe("attempts", () => {
  test("that are denied follow one another after 10 s", () => {
    const stage = new Stage();
    stage.person();
    stage.clock.advance(35 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual(["denied", "denied", "denied", "denied"]);
    expect(pausesOf(stage.offers)).toEqual([10, 10, 10]);
  });

  test("that lead nowhere are counted by what they cost", () => {
    // Each proxy is away for a minute after its match.
    const minute = 60 * SECOND;
    const stage = new Stage({ pollIntervals: { open: minute, moderate: minute, strict: minute } });
    stage.person();
    stage.clock.advance(5 * SECOND);
    stage.proxy("newest", { silence: 1 });
    stage.clock.advance(10 * SECOND);
    stage.proxy("newest", { useless: true });
    stage.clock.advance(10 * SECOND);
    stage.proxy("newest");
    stage.clock.advance(20 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual([
      "denied",
      "timed-out",
      "answered",
      "answered",
    ]);
    const { lost, times } = stage.tally;
    expect(lost.denied).toBe(10 * SECOND);
    expect(lost.timedOut).toBe(10 * SECOND);
    expect(lost.channelFailed).toBeWithin(10 * SECOND, 15 * SECOND);
    expect(lost.unreachable).toBe(0);
    // What is left is the last attempt, which needs 0.3 to 4 s for its answer, and the messages a little.
    const [time = 0] = times;
    const last = time - lost.denied - lost.timedOut - lost.channelFailed;
    expect(last).toBeWithin(0.3 * SECOND, 5 * SECOND);
  });

  test("whose channel does not open end 10 s after the answer", () => {
    const stage = new Stage({ pollIntervals: { open: 1, moderate: 1, strict: 1 } });
    stage.proxy("newest", { useless: true });
    stage.clock.advance(SECOND);
    stage.person();
    stage.clock.advance(9 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual(["answered"]);
    expect(stage.tally.channelFailures).toBe(1);
    stage.clock.advance(10 * SECOND);
    const [pause = 0] = pausesOf(stage.offers);
    // The proxy needed 0.3 to 4 s for its answer, and the messages a little.
    expect(pause).toBeWithin(10.4, 14.5);
    expect(stage.tally.times).toEqual([]);
  });

  test("stop when the person has lost patience", () => {
    const stage = new Stage();
    stage.person({ patience: 25 * SECOND });
    stage.clock.advance(100 * SECOND);
    expect(stage.offers.length).toBe(3);
    expect(stage.tally.gaveUpPeople).toBe(1);
  });

  test("are abandoned in their middle when the person has lost patience", () => {
    const stage = new Stage();
    stage.proxy("newest", { silence: 1 });
    stage.clock.advance(SECOND);
    stage.person({ patience: 2 * SECOND });
    stage.clock.advance(100 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual(["abandoned"]);
    expect(stage.tally.gaveUpPeople).toBe(1);
  });

  test("begin again when the channel has broken", () => {
    const stage = new Stage();
    stage.proxy("newest");
    stage.clock.advance(SECOND);
    stage.person();
    stage.clock.advance(8 * SECOND);
    expect(stage.tally.times.length).toBe(1);
    for (const breaks of stage.field.channels) breaks();
    stage.clock.advance(10 * SECOND);
    expect(stage.tally.people).toBe(2);
    expect(stage.field.channels.size).toBe(0);
  });
});

describe("a client that does not know its NAT type", () => {
  function natsOf(generation: "newest" | "older", natKnownAfter: number): string[] {
    const stage = new Stage({ pollIntervals: { open: 1, moderate: 1, strict: 1 } });
    stage.proxy("newest", { useless: true });
    stage.clock.advance(SECOND);
    stage.person({ generation, natKnownAfter, open: false });
    stage.clock.advance(40 * SECOND);
    return stage.offers.map(({ nat }) => nat).slice(0, 3);
  }

  test("claims unrestricted until a channel has failed, if it is new", () => {
    expect(natsOf("newest", Infinity)).toEqual(["unrestricted", "unknown", "unknown"]);
  });

  test("says so at once, if it is older", () => {
    expect(natsOf("older", Infinity)).toEqual(["unknown", "unknown", "unknown"]);
  });

  test("tells what it is as soon as it knows", () => {
    expect(natsOf("newest", 1)).toEqual(["unrestricted", "restricted", "restricted"]);
    expect(natsOf("older", 1)).toEqual(["unknown", "restricted", "restricted"]);
  });

  test("goes on claiming after a denial, which says nothing of its NAT", () => {
    const stage = new Stage();
    stage.person({ natKnownAfter: Infinity });
    stage.clock.advance(25 * SECOND);
    expect(stage.offers.map(({ nat }) => nat)).toEqual(Array(3).fill("unrestricted"));
  });
});

describe("a channel", () => {
  const connects = (proxy: object, client: object): boolean => {
    const stage = new Stage();
    stage.proxy("newest", proxy);
    stage.clock.advance(SECOND);
    stage.person(client);
    stage.clock.advance(9 * SECOND);
    expect(stage.offers.map(({ end }) => end)).toEqual(["answered"]);
    return stage.tally.times.length === 1;
  };

  test("opens unless both NATs are restricted", () => {
    expect(connects({}, { open: true })).toBe(true);
    expect(connects({}, { open: false })).toBe(true);
    expect(connects({ open: false }, { open: true })).toBe(true);
    expect(connects({ open: false }, { open: false })).toBe(false);
  });

  test("does not open between peers of one country", () => {
    expect(connects({ country: "ir" }, { country: "ir" })).toBe(false);
  });
});
