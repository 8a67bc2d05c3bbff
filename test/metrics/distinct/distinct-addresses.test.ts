import { beforeEach, describe, expect, test } from "bun:test";

import fc from "fast-check";

import { Address } from "../../../src/messages/address.ts";
import { NAT_TYPES, type NatType } from "../../../src/messages/nat-type.ts";
import { PROXY_TYPES, type ProxyType } from "../../../src/messages/proxy-type.ts";
import { ADDRESS_SETS, type AddressSet } from "../../../src/metrics/distinct/address-set.ts";
import {
  DistinctAddresses,
  type Journals,
} from "../../../src/metrics/distinct/distinct-addresses.ts";
import { HmacAddressHasher } from "../../../src/metrics/distinct/hmac-address-hasher.ts";
import { decodeJournalLine, decodeRecorded } from "../../../src/metrics/distinct/journal-line.ts";
import { type LocalClock } from "../../../src/metrics/distinct/local-clock.ts";
import { DistinctSketch } from "../../../src/metrics/distinct/sketch.ts";

const MS = 1_000_000n;
const START = Date.parse("2026-08-01T12:00:00Z");

class SimulatedClock implements LocalClock {
  time = START;
  offset = 120;

  now(): number {
    return this.time;
  }

  offsetAt(): number {
    return this.offset;
  }
}

interface Chunk {
  /** Milliseconds after the start. */
  readonly from: number;
  /** Milliseconds after the start. */
  readonly to: number;
  readonly addresses: number;
}

/** Journals in memory, whose appends can be made to fail or to wait. */
class MemoryJournals implements Journals {
  readonly lines: { set: AddressSet; line: string }[] = [];
  readonly failing = new Set<AddressSet>();
  gate: Promise<void> = Promise.resolve();

  async append(set: AddressSet, line: string): Promise<void> {
    await this.gate;
    if (this.failing.has(set)) throw new Error(`no room for ${set}`);
    this.lines.push({ set, line });
  }

  of(set: AddressSet): string[] {
    return this.lines.filter((entry) => entry.set === set).map((entry) => entry.line);
  }

  /** What each line of a set says. */
  summary(set: AddressSet): Chunk[] {
    return this.of(set).map((line) => {
      const { start, end, recorded } = read(line);
      const after = (t: bigint): number => Number(t / MS) - START;
      return { from: after(start), to: after(end), addresses: recorded.estimate() };
    });
  }
}

function read(line: string): { start: bigint; end: bigint; recorded: DistinctSketch } {
  const decoded = decodeJournalLine(new TextEncoder().encode(line.trimEnd()));
  if (!decoded.ok) throw new Error(decoded.error);
  const recorded = decodeRecorded(decoded.line.recorded);
  if (!recorded.ok) throw new Error(recorded.error);
  return { start: decoded.line.start, end: decoded.line.end, recorded: recorded.sketch };
}

function address(i: number): Address {
  return new Address(`192.0.${i >> 8}.${i & 255}`);
}

let clock: SimulatedClock;
let journals: MemoryJournals;
let outages: string[];
let addresses: DistinctAddresses;

beforeEach(() => {
  clock = new SimulatedClock();
  journals = new MemoryJournals();
  outages = [];
  addresses = new DistinctAddresses({
    hasher: new HmacAddressHasher(),
    journals,
    clock,
    onOutage: (error) => outages.push(String(error)),
  });
});

describe("sets", () => {
  const NAT_CASES: [NatType, AddressSet][] = [
    ["open", "open"],
    ["unrestricted", "open"],
    ["moderate", "moderate"],
    ["strict", "strict"],
    ["restricted", "strict"],
    ["unknown", "strict"],
  ];
  const TYPE_CASES: [ProxyType, AddressSet][] = [
    ["standalone", "standalone"],
    ["badge", "browser"],
    ["webext", "browser"],
    ["iptproxy", "mobile"],
    ["bloco", "unknown"],
    ["unknown", "unknown"],
  ];

  test("all NATs and types are told below", () => {
    expect(new Set(NAT_CASES.map(([nat]) => nat))).toEqual(new Set(NAT_TYPES));
    expect(new Set(TYPE_CASES.map(([type]) => type))).toEqual(new Set(PROXY_TYPES));
  });

  const polls = NAT_CASES.flatMap(([nat, a]) =>
    TYPE_CASES.map(([type, b]) => [nat, type, a, b] as const),
  );
  test.each(polls)("%s and %s go to %s and %s", async (nat, type, a, b) => {
    addresses.record(address(1), nat, type);
    await addresses.writeChunk();
    for (const set of ADDRESS_SETS) {
      const expected = set === a || set === b ? 1 : 0;
      expect(journals.summary(set).map((chunk) => chunk.addresses)).toEqual([expected]);
    }
  });
});

describe("chunks", () => {
  test("a line looks like this", async () => {
    clock.time += 3_600_250;
    addresses.record(address(1), "open", "webext");
    await addresses.writeChunk();
    expect(journals.of("strict")).toEqual([
      '{"recordingStart":"2026-08-01T14:00:00+02:00","recordingEnd":"2026-08-01T15:00:00.25+02:00",' +
        '"recorded":"AwoAAAYGAP0EAAADBgASAwIAARJ/BAEBA3NldAH/gAABBgECAAAE/4AAAAMGAAADCgAAAwYAAA=="}\n',
    ]);
  });

  test("the zone is that of each time", async () => {
    clock.offset = 60;
    clock.time += 1000;
    addresses.record(address(1), "open", "webext");
    await addresses.writeChunk();
    expect(journals.of("open")[0]).toStartWith(
      '{"recordingStart":"2026-08-01T14:00:00+02:00","recordingEnd":"2026-08-01T13:00:01+01:00",',
    );
  });

  test("a round writes all seven sets, and the next chunk begins where it ended, empty", async () => {
    for (let i = 0; i < 100; i++) addresses.record(address(i % 60), "open", "webext");
    clock.time += 1000;
    await addresses.writeChunk();
    addresses.record(address(1), "strict", "webext");
    clock.time += 500;
    await addresses.writeChunk();
    expect(journals.lines.map(({ set }) => set)).toEqual([...ADDRESS_SETS, ...ADDRESS_SETS]);
    const chunks = (first: number, second: number): Chunk[] => [
      { from: 0, to: 1000, addresses: first },
      { from: 1000, to: 1500, addresses: second },
    ];
    expect(journals.summary("open")).toEqual(chunks(60, 0));
    expect(journals.summary("strict")).toEqual(chunks(0, 1));
    expect(journals.summary("browser")).toEqual(chunks(60, 1));
    expect(journals.summary("mobile")).toEqual(chunks(0, 0));
  });

  test("a quiet chunk goes on", async () => {
    clock.time += 1000;
    await addresses.writeChunk();
    expect(journals.lines).toEqual([]);
    addresses.record(address(1), "open", "webext");
    clock.time += 1000;
    await addresses.writeChunk();
    expect(journals.summary("open")).toEqual([{ from: 0, to: 2000, addresses: 1 }]);
  });

  test("what arrives while a round is written belongs to the next", async () => {
    const gate = Promise.withResolvers<void>();
    journals.gate = gate.promise;
    addresses.record(address(1), "open", "webext");
    clock.time += 1000;
    const first = addresses.writeChunk();
    await Promise.resolve();
    addresses.record(address(2), "open", "webext");
    addresses.record(address(3), "open", "webext");
    const second = addresses.writeChunk();
    expect(addresses.writeChunk()).toBe(second);
    clock.time += 1000;
    gate.resolve();
    await second;
    await first;
    expect(journals.summary("open")).toEqual([
      { from: 0, to: 1000, addresses: 1 },
      { from: 1000, to: 2000, addresses: 2 },
    ]);
  });

  test("no address is in a line", async () => {
    const texts = ["203.0.113.77", "2001:db8::77"];
    for (const text of texts) addresses.record(new Address(text), "open", "webext");
    await addresses.writeChunk();
    const written = journals.lines.map(({ line }) => line + atob(read64(line))).join("");
    for (const text of texts) expect(written).not.toContain(text);
    expect(written).not.toContain(String.fromCharCode(203, 0, 113, 77));
  });
});

function read64(line: string): string {
  const decoded = decodeJournalLine(new TextEncoder().encode(line.trimEnd()));
  return decoded.ok ? decoded.line.recorded : "";
}

describe("failing writes", () => {
  test("one does not stop the others, and loses nothing", async () => {
    journals.failing.add("moderate");
    addresses.record(address(1), "moderate", "webext");
    addresses.record(address(2), "moderate", "webext");
    clock.time += 1000;
    await addresses.writeChunk();
    expect(journals.lines.map(({ set }) => set)).toEqual(
      ADDRESS_SETS.filter((set) => set !== "moderate"),
    );
    addresses.record(address(2), "moderate", "iptproxy");
    addresses.record(address(3), "moderate", "iptproxy");
    journals.failing.clear();
    clock.time += 1000;
    await addresses.writeChunk();
    expect(journals.summary("moderate")).toEqual([{ from: 0, to: 2000, addresses: 3 }]);
    expect(journals.summary("mobile")).toEqual([
      { from: 0, to: 1000, addresses: 0 },
      { from: 1000, to: 2000, addresses: 2 },
    ]);
  });

  test("what failed is tried again although nothing new arrived", async () => {
    for (const set of ADDRESS_SETS) journals.failing.add(set);
    addresses.record(address(1), "open", "webext");
    await addresses.writeChunk();
    journals.failing.clear();
    clock.time += 1000;
    await addresses.writeChunk();
    expect(journals.summary("open")).toEqual([{ from: 0, to: 1000, addresses: 1 }]);
    expect(journals.lines).toHaveLength(7);
  });

  test("an outage is told of once, the next one again", async () => {
    const round = async (...failing: AddressSet[]): Promise<void> => {
      journals.failing.clear();
      for (const set of failing) journals.failing.add(set);
      addresses.record(address(1), "open", "webext");
      await addresses.writeChunk();
    };
    await round("moderate", "strict");
    await round("moderate");
    await round("mobile", "open");
    expect(outages).toEqual(["Error: no room for moderate"]);
    await round();
    await round("unknown");
    expect(outages).toEqual(["Error: no room for moderate", "Error: no room for unknown"]);
  });

  test("whatever fails and whenever, every address is in the lines in the end", async () => {
    const step = fc.record({
      arrivals: fc.array(fc.tuple(fc.nat(500), fc.constantFrom(...NAT_TYPES)), { maxLength: 20 }),
      failing: fc.array(fc.constantFrom(...ADDRESS_SETS), { maxLength: 7 }),
      wait: fc.nat(10_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const hasher = new HmacAddressHasher();
        const memory = new MemoryJournals();
        const time = new SimulatedClock();
        const counter = new DistinctAddresses({
          hasher,
          journals: memory,
          clock: time,
          onOutage: () => outages.push("again"),
        });
        const everything = new DistinctSketch();
        for (const { arrivals, failing, wait } of steps) {
          for (const [i, nat] of arrivals) {
            counter.record(address(i), nat, "webext");
            const { hi, lo } = hasher.hash(address(i).reveal());
            everything.add(hi, lo);
          }
          time.time += wait;
          memory.failing.clear();
          for (const set of failing) memory.failing.add(set);
          await counter.writeChunk();
        }
        memory.failing.clear();
        await counter.writeChunk();
        const union = new DistinctSketch();
        for (const { line } of memory.lines) union.merge(read(line).recorded);
        expect(union.estimate()).toBe(everything.estimate());
        for (const set of ADDRESS_SETS) {
          const chunks = memory.summary(set);
          for (const [i, chunk] of chunks.entries()) {
            expect(chunk.from).toBe(i === 0 ? 0 : (chunks[i - 1]?.to ?? Number.NaN));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
