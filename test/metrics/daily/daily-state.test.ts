import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { DailyCounters } from "../../../src/metrics/daily/daily-counters.ts";
import {
  type DailyState,
  decodeDailyState,
  encodeDailyState,
  MAX_WAITING_REPORTS,
} from "../../../src/metrics/daily/daily-state.ts";
import { countEvent, dailyEvent } from "./daily-events.ts";

const TIME = Date.parse("2026-08-01T12:00:00Z");

const anyState: fc.Arbitrary<DailyState> = fc
  .record({
    events: fc.array(dailyEvent, { maxLength: 60 }),
    start: fc.integer({ min: 0, max: TIME }),
    elapsed: fc.nat(86_400_000),
    reports: fc.array(fc.string({ unit: "grapheme" }), { maxLength: MAX_WAITING_REPORTS }),
  })
  .map(({ events, start, elapsed, reports }) => {
    const counters = new DailyCounters();
    for (const event of events) countEvent(counters, event);
    return {
      startedAt: new Date(start),
      savedAt: new Date(start + elapsed),
      reports,
      counts: counters.snapshot(),
    };
  });

function exampleState(): DailyState {
  const counters = new DailyCounters();
  counters.proxySeen(1234, () => "SE", "open", "badge");
  counters.proxySeen(1235, () => "DE", "open", "badge");
  counters.clientEnded("http", "denied", "open", "??");
  return {
    startedAt: new Date(TIME - 5000),
    savedAt: new Date(TIME),
    reports: ["an older report\n"],
    counts: counters.snapshot(),
  };
}

describe("a state", () => {
  test("looks like this", () => {
    expect(encodeDailyState(exampleState())).toBe(
      '{"version":1,"startedAt":"2026-08-01T11:59:55.000Z","savedAt":"2026-08-01T12:00:00.000Z",' +
        '"reports":["an older report\\n"],"proxiesByCountry":[["DE",1],["SE",1]],' +
        '"proxiesByType":{"standalone":0,"webext":0,"badge":2,"iptproxy":0,"bloco":0},' +
        '"proxiesByNat":{"restricted":0,"unrestricted":0,"unknown":0,"strict":0,"moderate":0,"open":2},' +
        '"polls":{"idle":0,"withPattern":0,"withoutPattern":0,"patternRejected":0},' +
        '"clientsDeniedByNat":{"restricted":0,"unrestricted":0,"unknown":0,"strict":0,"moderate":0,"open":1},' +
        '"clientsMatched":0,"clientsTimedOut":0,' +
        '"clientsByCountry":{"http":[["??",1]],"ampcache":[],"sqs":[]}}\n',
    );
  });

  test("is read as it was written", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        expect(decodeDailyState(encodeDailyState(state))).toEqual(state);
      }),
    );
  });

  test("that is cut off anywhere is none", () => {
    fc.assert(
      fc.property(anyState, fc.double({ min: 0, max: 1, noNaN: true }), (state, share) => {
        const text = encodeDailyState(state).trimEnd();
        const cut = text.slice(0, Math.min(text.length - 1, Math.floor(text.length * share)));
        expect(decodeDailyState(cut)).toBeUndefined();
      }),
    );
  });
});

describe("anything else is no state", () => {
  test("any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeDailyState(JSON.stringify(value))).toBeUndefined();
      }),
    );
  });

  test("any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(decodeDailyState(text)).toBeUndefined();
      }),
    );
  });

  const good = encodeDailyState(exampleState());

  test.each([
    ["another version", '"version":1', '"version":2'],
    ["a version in words", '"version":1', '"version":"1"'],
    ["an unknown member", '"version":1', '"version":1,"extra":1'],
    ["a missing member", '"clientsMatched":0,', ""],
    ["a missing count", '"badge":2,', ""],
    ["an unknown count", '"badge":2', '"badge":2,"other":2'],
    ["a negative count", '"badge":2', '"badge":-1'],
    ["half a count", '"badge":2', '"badge":0.5'],
    ["a count beyond all bounds", '"badge":2', '"badge":9007199254740992'],
    ["a count in words", '"badge":2', '"badge":"2"'],
    ["no count", '"badge":2', '"badge":null'],
    ["a country twice", '["DE",1]', '["DE",1],["DE",1]'],
    ["a country without count", '["DE",1]', '["DE"]'],
    ["a country with more than a count", '["DE",1]', '["DE",1,1]'],
    ["a country that is no text", '["DE",1]', "[1,1]"],
    ["countries that are no list", '[["DE",1],["SE",1]]', '{"DE":1}'],
    ["clients of a negative country", '[["??",1]]', '[["??",-1]]'],
    ["a report that is no text", '["an older report\\n"]', "[1]"],
    ["reports that are no list", '["an older report\\n"]', '"an older report"'],
    ["no time", "2026-08-01T12:00:00.000Z", "tomorrow"],
    ["a time that is none", "2026-08-01T12:00:00.000Z", "2026-13-01T12:00:00.000Z"],
    ["a time written otherwise", "2026-08-01T12:00:00.000Z", "2026-08-01T12:00:00Z"],
    ["a start after the end", "2026-08-01T12:00:00.000Z", "2026-08-01T11:00:00.000Z"],
  ])("%s", (_, part, other) => {
    expect(decodeDailyState(good)).toBeDefined();
    expect(good).toContain(part);
    expect(decodeDailyState(good.replace(part, () => other))).toBeUndefined();
  });

  test("too many reports", () => {
    const reports = (count: number) =>
      encodeDailyState({ ...exampleState(), reports: Array.from({ length: count }, () => "") });
    expect(decodeDailyState(reports(31))).toBeDefined();
    expect(decodeDailyState(reports(32))).toBeUndefined();
  });
});
