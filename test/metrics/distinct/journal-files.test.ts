import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ADDRESS_SETS } from "../../../src/metrics/distinct/address-set.ts";
import {
  JournalFile,
  JournalFiles,
  type JournalHandle,
  readJournal,
} from "../../../src/metrics/distinct/journal-files.ts";
import { type LocalClock, systemClock } from "../../../src/metrics/distinct/local-clock.ts";
import { formatRfc3339, parseRfc3339 } from "../../../src/metrics/distinct/rfc3339.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "journal-files-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A clock that goes on by half a second at each look. */
function tickingClock(offset: number): LocalClock {
  let time = Date.parse("2026-08-01T12:00:00Z");
  return {
    now: () => {
      time += 500;
      return time - 500;
    },
    offsetAt: () => offset,
  };
}

const UTC: LocalClock = { now: () => 0, offsetAt: () => 0 };

function path(set: string): string {
  return join(folder, `count-${set}-1970-01-01T00:00:00Z.log`);
}

describe("creation", () => {
  test("names tell set and local time, taken for each file", async () => {
    const journals = await JournalFiles.create(join(folder, "count"), tickingClock(120));
    await journals.close();
    expect((await readdir(folder)).toSorted()).toEqual([
      "count-browser-2026-08-01T14:00:02+02:00.log",
      "count-mobile-2026-08-01T14:00:02+02:00.log",
      "count-moderate-2026-08-01T14:00:00+02:00.log",
      "count-open-2026-08-01T14:00:00+02:00.log",
      "count-standalone-2026-08-01T14:00:01+02:00.log",
      "count-strict-2026-08-01T14:00:01+02:00.log",
      "count-unknown-2026-08-01T14:00:03+02:00.log",
    ]);
  });

  test("files are empty, and readable by all as far as the mask allows", async () => {
    await writeFile(path("open"), "old\n");
    const journals = await JournalFiles.create(join(folder, "count"), UTC);
    await journals.close();
    for (const set of ADDRESS_SETS) expect((await stat(path(set))).size).toBe(0);
    expect((await stat(path("strict"))).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  test("a file that can't be created is an error", async () => {
    const created = await JournalFiles.create(join(folder, "missing", "count"), UTC).catch(String);
    expect(created).toContain("ENOENT");
  });
});

test("lines are appended to the journal of their set", async () => {
  const journals = await JournalFiles.create(join(folder, "count"), UTC);
  await journals.append("open", "one\n");
  await journals.append("mobile", "two\n");
  await journals.append("open", `${"x".repeat(400_000)}\n`);
  expect(await readFile(path("open"), "utf8")).toBe(`one\n${"x".repeat(400_000)}\n`);
  expect(await readFile(path("mobile"), "utf8")).toBe("two\n");
  await journals.close();
});

test("a journal that was truncated in place goes on at its beginning", async () => {
  const journals = await JournalFiles.create(join(folder, "count"), UTC);
  await journals.append("open", "one\n");
  await truncate(path("open"), 0);
  await journals.append("open", "two\n");
  expect(await readFile(path("open"), "utf8")).toBe("two\n");
  await journals.close();
});

describe("an append that fails", () => {
  /** A real file that fails as it is told. */
  class FailingHandle implements JournalHandle {
    readonly #real: JournalHandle;
    /** The methods that fail; `appendFile` after having written some of the line. */
    failing: (keyof JournalHandle)[] = [];
    syncs = 0;

    constructor(real: JournalHandle) {
      this.#real = real;
    }

    #check(method: keyof JournalHandle): void {
      if (this.failing.includes(method)) throw new Error(`${method} fails`);
    }

    async stat(): Promise<{ size: number }> {
      this.#check("stat");
      return await this.#real.stat();
    }

    async appendFile(text: string): Promise<void> {
      const fails = this.failing.includes("appendFile");
      await this.#real.appendFile(fails ? text.slice(0, 8) : text);
      this.#check("appendFile");
    }

    async sync(): Promise<void> {
      this.syncs++;
      this.#check("sync");
      await this.#real.sync();
    }

    async truncate(size: number): Promise<void> {
      this.#check("truncate");
      await this.#real.truncate(size);
    }

    async close(): Promise<void> {
      await this.#real.close();
    }
  }

  async function openFailing(): Promise<{ handle: FailingHandle; journal: JournalFile }> {
    const handle = new FailingHandle(await open(path("open"), "a"));
    const journal = new JournalFile(handle);
    await journal.append("whole\n");
    return { handle, journal };
  }

  const content = (): Promise<string> => readFile(path("open"), "utf8");

  test.each<[string, (keyof JournalHandle)[]]>([
    ["writing", ["appendFile"]],
    ["flushing", ["sync"]],
    ["looking", ["stat"]],
    ["mending too", ["appendFile", "truncate"]],
  ])("in %s leaves no trace in the next line", async (_, failing) => {
    const { handle, journal } = await openFailing();
    handle.failing = failing;
    for (let i = 0; i < 3; i++) {
      const outcome = await journal.append("lost in an outage\n").catch(String);
      expect(outcome).toContain("fails");
    }
    handle.failing = [];
    await journal.append("next\n");
    expect(await content()).toBe("whole\nnext\n");
    expect(handle.syncs).toBeGreaterThan(1);
    await journal.close();
  });

  test("leaves no trace at the end", async () => {
    const { handle, journal } = await openFailing();
    handle.failing = ["appendFile"];
    await journal.append("lost in an outage\n").catch(String);
    expect(await content()).toBe("whole\nlost in ");
    await journal.close();
    expect(await content()).toBe("whole\n");
  });
});

test("a journal is read as it was written", async () => {
  const content = Buffer.alloc(1_000_000, "some text\n");
  await writeFile(path("open"), content);
  const pieces: Uint8Array[] = [];
  for await (const piece of readJournal(path("open"))) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(1);
  expect(Buffer.concat(pieces)).toEqual(content);
});

test("the system clock tells local time", () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  const offset = systemClock.offsetAt(now);
  const text = formatRfc3339(now, offset);
  expect(parseRfc3339(text)).toBe(BigInt(now) * 1_000_000n);
  expect(Number(text.slice(11, 13))).toBe(new Date(now).getHours());
});
