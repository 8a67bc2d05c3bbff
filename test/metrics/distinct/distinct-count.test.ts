import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Address } from "../../../src/messages/address.ts";
import { DistinctAddresses } from "../../../src/metrics/distinct/distinct-addresses.ts";
import { countDistinct, MAX_LINE_BYTES } from "../../../src/metrics/distinct/distinct-count.ts";
import { HmacAddressHasher } from "../../../src/metrics/distinct/hmac-address-hasher.ts";
import { JournalFiles } from "../../../src/metrics/distinct/journal-files.ts";
import { encodeJournalLine } from "../../../src/metrics/distinct/journal-line.ts";
import { generateSketch } from "./generated-sketch.ts";

const FROM = "2026-08-01T00:00:00Z";
const TO = "2026-08-02T00:00:00Z";
const START = Date.parse(FROM);
const HOUR = 3_600_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "distinct-count-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A file with this content, named in error messages by its path. */
async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The line of the `n` first hashes of a seed, in the hour that begins `hour` hours after the start. */
function line(seed: number, n: number, hour: number): string {
  const at = (h: number): { time: number; offset: number } => ({
    time: START + h * HOUR,
    offset: 0,
  });
  return encodeJournalLine(at(hour), at(hour + 1), generateSketch(seed, n));
}

async function count(files: string[], from = FROM, to = TO): Promise<string> {
  const outcome = await countDistinct({ files, from, to, json: false });
  if (!outcome.ok) throw new Error(outcome.error);
  expect(outcome.warnings).toEqual([]);
  return outcome.output;
}

async function failure(files: string[], from = FROM, to = TO): Promise<string> {
  const outcome = await countDistinct({ files, from, to, json: false });
  if (outcome.ok) throw new Error(`no error, but ${outcome.output}`);
  return outcome.error;
}

describe("what the broker wrote", () => {
  /** Counts so many addresses in four chunks, each of which sees half of the former's addresses again. */
  async function journalOf(addresses: number): Promise<string> {
    const prefix = join(folder, `broker-${addresses}`);
    let time = START;
    const clock = { now: () => time, offsetAt: () => 120 };
    const journals = await JournalFiles.create(prefix, clock);
    const errors: unknown[] = [];
    const counter = new DistinctAddresses({
      hasher: new HmacAddressHasher(new Uint8Array(32)),
      journals,
      clock,
      onOutage: (error) => errors.push(error),
    });
    const quarter = Math.ceil(addresses / 4);
    for (let chunk = 0; chunk < 4; chunk++) {
      const first = Math.max(Math.ceil((chunk - 0.5) * quarter), 0);
      for (let i = first; i < Math.min((chunk + 1) * quarter, addresses); i++) {
        const text = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
        counter.record(new Address(text), "open", "standalone");
      }
      time += HOUR;
      await counter.writeChunk();
    }
    await journals.close();
    expect(errors).toEqual([]);
    return `${prefix}-open-2026-08-01T02:00:00+02:00.log`;
  }

  test.each([
    [0, 0],
    [1, 0],
    [1000, 0.005],
    [15_000, 0.01],
    [200_000, 0.01],
  ])("%d addresses", async (addresses, tolerance) => {
    const path = await journalOf(addresses);
    const outcome = await countDistinct({ files: [path], from: FROM, to: TO, json: true });
    if (!outcome.ok) throw new Error(outcome.error);
    const [, sum, chunks] =
      /^\{"sum":(\d+),"chunkIncluded":(\d+),"files":1\}\n$/.exec(outcome.output) ?? [];
    expect(chunks).toBe(String({ 0: 0, 1: 1 }[addresses] ?? 4));
    expect(Math.abs(Number(sum) - addresses)).toBeLessThanOrEqual(tolerance * addresses);
    expect(await readFile(path, "latin1")).not.toContain("10.0.");
  });

  test("lines beyond 64 KiB are read", async () => {
    const content = line(1, 200_000, 0);
    expect(content.length).toBeGreaterThan(300_000);
    const path = await file("dense", content);
    expect(await count([path])).toBe("sum = 199717\nchunkIncluded = 1\n");
  });
});

describe("output", () => {
  test("text", async () => {
    const path = await file("text", line(1, 3000, 0) + line(2, 3000, 1));
    expect(await count([path])).toBe("sum = 6000\nchunkIncluded = 2\n");
  });

  test("JSON, and several files", async () => {
    const files = [await file("a", line(1, 10, 0)), await file("b", line(2, 1000, 0))];
    const outcome = await countDistinct({ files, from: FROM, to: TO, json: true });
    expect(outcome).toEqual({
      ok: true,
      output: '{"sum":1010,"chunkIncluded":2,"files":2}\n',
      warnings: [],
    });
  });

  test("an empty file has nothing in it", async () => {
    expect(await count([await file("empty", "")])).toBe("sum = 0\nchunkIncluded = 0\n");
  });
});

describe("the span", () => {
  test.each([
    ["2026-08-01T01:00:00Z", "2026-08-01T02:00:00Z", 1],
    ["2026-08-01T03:00:00+02:00", "2026-07-31T22:00:00-04:00", 1],
    ["2026-08-01T01:00:00.000000001Z", "2026-08-01T02:00:00Z", 0],
    ["2026-08-01T01:00:00Z", "2026-08-01T01:59:59.999999999Z", 0],
    ["2026-08-01T00:00:00Z", "2026-08-01T03:00:00Z", 3],
    ["2026-08-01T00:30:00Z", "2026-08-01T02:30:00Z", 1],
    ["2026-08-01T02:00:00Z", "2026-08-01T01:00:00Z", 0],
  ])("%s to %s", async (from, to, chunks) => {
    const path = await file("span", line(1, 1, 0) + line(2, 1, 1) + line(3, 1, 2));
    expect(await count([path], from, to)).toBe(`sum = ${chunks}\nchunkIncluded = ${chunks}\n`);
  });

  test.each([
    ["", TO, "from"],
    ["yesterday", TO, "from"],
    [FROM, "", "to"],
    [FROM, "2026-02-30T00:00:00Z", "to"],
  ])("'%s' to '%s' is refused", async (from, to, which) => {
    expect(await failure(["no such file"], from, to)).toStartWith(`${which}: not an RFC 3339 time`);
  });
});

describe("bad journals", () => {
  const good = line(1, 10, 0);

  test.each([
    ["a blank line", "\n"],
    ["no JSON", "sum = 1\n"],
    ["another type", '{"recordingStart":1}\n'],
    ["a time that is missing", "{}\n"],
    ["a bad time", good.replace("01T00", "01T24")],
    ["a state that is missing", good.replace(/"recorded":.*"/, '"other":""')],
    ["no base64", good.replace("==", "=!")],
    ["a bad state", good.replace("AwoAAAY", "AwoAAAZ")],
    ["a line beyond the limit", `"${"x".repeat(MAX_LINE_BYTES)}"\n`],
  ])("%s", async (_, bad) => {
    const path = await file("bad", good + bad + good);
    expect(await failure([path])).toStartWith(`${path}: line 2: `);
  });

  test("a bad file spoils the good ones", async () => {
    const bad = await file("second", "{}\n");
    expect(await failure([await file("first", good), bad])).toStartWith(`${bad}: line 1: `);
  });

  test("the state of a chunk outside the span does not matter", async () => {
    const path = await file("outside", good + line(1, 1, 30).replace("AwoAAAY", "AwoAAAZ"));
    expect(await count([path])).toBe("sum = 10\nchunkIncluded = 1\n");
  });

  test("a file that can't be read", async () => {
    const path = join(folder, "missing");
    expect(await failure([path])).toStartWith(`${path}: there is no such file`);
    expect(await failure([folder])).toStartWith(`${folder}: it is a directory`);
    expect(await failure([])).toBe("in: no file given");
    expect(await failure([""])).toBe("in: no file given");
  });
});

describe("a last line that a crash has cut off", () => {
  const content = line(1, 10, 0) + line(2, 1000, 1);
  const first = content.indexOf("\n") + 1;

  test.each([1, 20, 100, 1000, content.length - first - 2])("after %d bytes", async (bytes) => {
    const path = await file("torn", content.slice(0, first + bytes));
    const outcome = await countDistinct({ files: [path], from: FROM, to: TO, json: false });
    expect(outcome).toMatchObject({ ok: true, output: "sum = 10\nchunkIncluded = 1\n" });
    expect(outcome.ok && outcome.warnings).toHaveLength(1);
    expect(outcome.ok && outcome.warnings[0]).toStartWith(`${path}: line 2: `);
  });

  test("is counted if only the line feed is missing", async () => {
    const path = await file("whole", content.slice(0, -1));
    expect(await count([path])).toBe("sum = 1010\nchunkIncluded = 2\n");
  });

  test("is an error in the middle of a file", async () => {
    const path = await file("middle", `${content.slice(0, first + 100)}\n${content}`);
    expect(await failure([path])).toStartWith(`${path}: line 2: `);
  });
});
