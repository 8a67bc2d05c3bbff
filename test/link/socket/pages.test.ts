import { describe, expect, test } from "bun:test";

import { PageParts, pageParts } from "../../../src/link/socket/pages.ts";

describe("a page in parts", () => {
  const PART = 256 * 1024;

  test.each([0, 1, PART - 1, PART, PART + 1, 3 * PART, 4 * 1024 * 1024])(
    "of %d bytes is put together again",
    (length) => {
      const page = Buffer.alloc(length, "0123456789");
      const collected = new PageParts();
      const parts = pageParts(page);
      for (const part of parts.slice(0, -1)) expect(collected.take(part)).toBeUndefined();
      const [last] = parts.slice(-1);
      const outcome = last === undefined ? undefined : collected.take(last);
      expect(outcome?.kind === "page" && Buffer.compare(outcome.bytes, page)).toBe(0);
      expect(parts.length).toBe(Math.max(1, Math.ceil(length / PART)));
    },
  );

  test("that does not end is given up beyond 4 MiB", () => {
    const collected = new PageParts();
    const bytes = new Uint8Array(PART);
    for (let i = 0; i < 16; i++) expect(collected.take({ kind: "more", bytes })).toBeUndefined();
    expect(collected.take({ kind: "more", bytes })).toEqual({ kind: "unavailable" });
  });
});
