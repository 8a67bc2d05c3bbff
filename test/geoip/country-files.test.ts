import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readCountryFiles } from "../../src/geoip/country-files.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "country-files-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

async function writeIn(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

describe("a pair of country files", () => {
  test("is read and described", async () => {
    const ipv4 = await writeIn("good", "# IPv4\n16777216,16777471,AU\n");
    const ipv6 = await writeIn("good6", "");
    const read = await readCountryFiles(ipv4, ipv6);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    // The digests are those of sha1sum.
    expect(read.files).toEqual([
      { path: ipv4, sha1: "f5a70efb21ad1b260f12906ae32509e807f59689", entries: 1 },
      { path: ipv6, sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709", entries: 0 },
    ]);
    expect(read.geoip.lookup("1.0.0.1")).toBe("AU");
    expect(read.geoip.lookup("::1")).toBe("??");
  });

  test("is read anew each time, and what was read before stays as it was", async () => {
    const ipv4 = await writeIn("changing", "1,2,AA\n");
    const ipv6 = await writeIn("changing6", "::1,::2,AA\n");
    const first = await readCountryFiles(ipv4, ipv6);
    await writeIn("changing", "1,2,BB\n");
    const second = await readCountryFiles(ipv4, ipv6);
    expect(first.ok && first.geoip.lookup("0.0.0.1")).toBe("AA");
    expect(second.ok && second.geoip.lookup("0.0.0.1")).toBe("BB");
    expect(second.ok && second.geoip.lookup("::1")).toBe("AA");
  });

  test("may be devices, which have no size", async () => {
    const read = await readCountryFiles("/dev/null", "/dev/null");
    expect(read.ok && read.files.map((file) => file.entries)).toEqual([0, 0]);
  });

  test("is refused with a reason if one is too large", async () => {
    const huge = await writeIn("huge", "");
    await truncate(huge, 128 * 1024 * 1024 + 1);
    const read = await readCountryFiles(huge, "/dev/null");
    const error = "it is larger than 128 MiB: name another file";
    expect(read).toMatchObject({ ok: false, problems: [{ kind: "unreadable", error }] });
  });

  test("is refused, and not waited for, if one is a pipe", async () => {
    const pipe = join(directory, "pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    const read = await readCountryFiles(pipe, "/dev/null");
    expect(read).toMatchObject({ ok: false, problems: [{ kind: "unreadable", path: pipe }] });
  });

  test("is refused if one is missing", async () => {
    const ipv4 = join(directory, "absent");
    const ipv6 = await writeIn("present6", "");
    const read = await readCountryFiles(ipv4, ipv6);
    expect(read).toMatchObject({ ok: false, problems: [{ kind: "missing", path: ipv4 }] });
  });

  test("is refused if one is malformed, with the line", async () => {
    const ipv4 = await writeIn("fine", "1,2,AA\n");
    const ipv6 = await writeIn("bad6", "# x\n::1,::2\n");
    expect(await readCountryFiles(ipv4, ipv6)).toEqual({
      ok: false,
      problems: [
        {
          kind: "malformed",
          path: ipv6,
          error: "line 2: not three fields separated by commas",
        },
      ],
    });
  });

  test("is refused with both problems, and a directory is not a missing file", async () => {
    const file = await writeIn("file", "");
    const read = await readCountryFiles(directory, join(file, "below"));
    expect(read).toMatchObject({
      ok: false,
      problems: [
        {
          kind: "unreadable",
          path: directory,
          error: expect.stringContaining("it is a directory"),
        },
        {
          kind: "unreadable",
          path: join(file, "below"),
          error: expect.stringContaining("is a file and no directory"),
        },
      ],
    });
  });

  test("is refused for a path that can't be one", async () => {
    const read = await readCountryFiles("a\0b", "/dev/null");
    expect(read).toMatchObject({ ok: false, problems: [{ kind: "unreadable", path: "a\0b" }] });
  });
});
