/** Whole runs: they can be repeated, they leave the broker consistent, and they resemble what was published. */

import { describe, expect, test } from "bun:test";

import { compare } from "../../src/simulate/compare.ts";
import { CHECK_POLICIES, POLICIES, type PolicyParts } from "../../src/simulate/policies.ts";
import { WORST_DAY } from "../../src/simulate/published-days.ts";
import { formatJson } from "../../src/simulate/report.ts";
import { run } from "../../src/simulate/run.ts";
import type { Scenario } from "../../src/simulate/scenario.ts";
import { CHECKS, SCENARIOS } from "../../src/simulate/scenarios.ts";

const MINUTE = 60_000;

function scenario(name: string): Scenario {
  const found = [...SCENARIOS, ...CHECKS].find((it) => it.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

/** A stretch of a scenario with its incidents, short enough for a test. */
function shortened(name: string): Scenario {
  const whole = scenario(name);
  const incidents = whole.incidents.map(({ happens }, i) => ({ at: (i + 1) * MINUTE, happens }));
  return { ...whole, warmUp: MINUTE, duration: 5 * MINUTE, incidents };
}

function policy(name: string): PolicyParts {
  const found = POLICIES.get(name) ?? CHECK_POLICIES.get(name);
  if (found === undefined) throw new Error(`no policy ${name}`);
  return found;
}

const reference = policy("reference");
const noProgress = () => undefined;

function jsonOf(seed: number): string {
  const comparison = { policies: POLICIES, seeds: [seed], scale: 200, onProgress: noProgress };
  return formatJson([compare(shortened("restart"), comparison)]);
}

test("the same seed gives the same run byte for byte, another seed another", () => {
  expect(jsonOf(3)).toBe(jsonOf(3));
  expect(jsonOf(4)).not.toBe(jsonOf(3));
});

test("all policies meet the same people", () => {
  const numbers = [...POLICIES.values()].map((parts) => {
    const { tally } = run(shortened("worst-day"), parts, { seed: 1, scale: 100 });
    return tally.parts.map(({ people }) => people);
  });
  for (const people of numbers) expect(people).toEqual(numbers[0] ?? []);
});

describe.each(SCENARIOS)("a stretch of $name", ({ name, scale }) => {
  test.each([...POLICIES])("under %s", (_, parts) => {
    const { tally, faults } = run(shortened(name), parts, {
      seed: 1,
      scale: scale === undefined ? 1 : 200,
    });
    expect(faults).toEqual([]);
    expect(tally.people).toBeGreaterThan(0);
    expect(tally.times.length + tally.gaveUpPeople).toBeLessThanOrEqual(tally.people);
    expect(tally.times.length).toBeGreaterThan(0);
    expect(Math.min(...tally.times)).toBeGreaterThan(300);
    expect(tally.polls).toBeGreaterThan(0);
    const sum = (figure: "people" | "matched" | "denied" | "polls") =>
      tally.parts.reduce((total, part) => total + part[figure], 0);
    expect(sum("people")).toBe(tally.people);
    expect(sum("matched")).toBe(tally.times.length);
    expect(sum("denied")).toBe(tally.denials);
    expect(sum("polls")).toBe(tally.polls);
  });
});

describe("an incident", () => {
  /** A figure of each part of ten minutes in which something happens after five. */
  function figureOf(
    name: string,
    happens: boolean,
    figure: "people" | "denied" | "polls",
  ): number[] {
    const whole = scenario(name);
    const incidents = whole.incidents.map((incident) => ({ ...incident, at: 5 * MINUTE }));
    const short = { ...whole, warmUp: 8 * MINUTE, duration: 10 * MINUTE };
    const { tally } = run({ ...short, incidents: happens ? incidents : [] }, reference, {
      seed: 1,
      scale: 100,
    });
    return tally.parts.map((part) => part[figure]);
  }
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

  test("bridge-death: everybody comes back within 10 s", () => {
    const people = figureOf("bridge-death", true, "people");
    const usual = figureOf("bridge-death", false, "people");
    expect(people.slice(0, 24)).toEqual(usual.slice(0, 24));
    expect(sum(people.slice(24, 26))).toBeGreaterThan(5 * sum(usual.slice(24, 26)));
    expect(sum(people.slice(26))).toBeLessThan(1.2 * sum(usual.slice(26)));
  });

  test("restart: it changes what follows, and polls go on", () => {
    const denied = figureOf("restart", true, "denied");
    const usual = figureOf("restart", false, "denied");
    expect(denied.slice(0, 24)).toEqual(usual.slice(0, 24));
    expect(denied.slice(24)).not.toEqual(usual.slice(24));
    const pollsAfter = (happens: boolean) => sum(figureOf("restart", happens, "polls").slice(36));
    expect(pollsAfter(true) / pollsAfter(false)).toBeWithin(0.8, 1.25);
  });

  test("probe-outage: clients that need an open proxy are denied", () => {
    const whole = scenario("probe-outage");
    const [outage] = whole.incidents;
    if (outage === undefined) throw new Error("the scenario has no incident");
    const run10 = (incidents: Scenario["incidents"]) =>
      run({ ...whole, warmUp: 8 * MINUTE, duration: 10 * MINUTE, incidents }, reference, {
        seed: 1,
        scale: 100,
      }).tally;
    const lost = run10([{ ...outage, at: 0 }]);
    const kept = run10([]);
    expect(lost.deniedOpenOnly).toBeGreaterThan(2 * kept.deniedOpenOnly);
  });
});

/** In ms: a day takes some seconds on a machine with nothing else to do. */
const WHOLE_DAY_TIMEOUT = 120_000;

test(
  "the day with the most polls comes out as it was published",
  () => {
    const parts = policy("reference-2024");
    const scale = 200;
    const { tally } = run(scenario("published-day"), parts, { seed: 1, scale });
    const answered = (tally.times.length + tally.channelFailures) * scale;
    expect(answered / WORST_DAY.matched).toBeWithin(0.9, 1.1);
    expect((tally.deniedOpenOnly * scale) / WORST_DAY.deniedOpenOnly).toBeWithin(0.8, 1.2);
  },
  WHOLE_DAY_TIMEOUT,
);
