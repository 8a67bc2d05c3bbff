import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { parseAcmeHostnames } from "../../../src/tls/acme/hostnames.ts";

describe("host names for a certificate", () => {
  const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;

  test.each([
    ["a.example", ["a.example"]],
    ["a.example,b.example", ["a.example", "b.example"]],
    [" a.example , b.example ", ["a.example", "b.example"]],
    ["A.Example", ["a.example"]],
    ["b.example,a.example,B.example", ["b.example", "a.example"]],
    ["bücher.example", ["xn--bcher-kva.example"]],
    ["1.a-b.example", ["1.a-b.example"]],
    [longest, [longest]],
  ])("%p", (text, value) => {
    expect(parseAcmeHostnames(text)).toEqual({ ok: true, value: expect.arrayContaining(value) });
    expect(parseAcmeHostnames(text)).toMatchObject({ value });
  });

  test.each([
    ["", "an entry is empty"],
    ["a.example,", "an entry is empty"],
    ["a.example,,b.example", "an entry is empty"],
    ["*.a.example", "*.a.example: HTTP-01 gives no certificate for a wildcard"],
    ...[
      ...["localhost", "192.0.2.1", "[2001:db8::1]", "2001:db8::1", "010.1.2.3", "a.example."],
      ...["a.example:443", "https://a.example", "a.example/x", "a_b.example", "a b.example"],
      ...[
        "-a.example",
        "a-.example",
        "a..example",
        ".example",
        "a.1",
        "../a.example",
        "a+b.example",
      ],
      ...[`${"a".repeat(64)}.example`, `a.${longest}`],
    ].map((name) => [name, `${name} is no full host name`] as const),
  ])("%p is refused", (text, error) => {
    expect(parseAcmeHostnames(text)).toEqual({ ok: false, error });
  });

  test("a hundred names and no more", () => {
    const names = Array.from({ length: 101 }, (_, i) => `${i}.example`);
    expect(parseAcmeHostnames(names.slice(0, 100).join()).ok).toBe(true);
    expect(parseAcmeHostnames(names.join())).toEqual({
      ok: false,
      error: "a certificate has at most 100 names",
    });
  });

  test("whatever comes out is a file's name in its own directory, and stays what it is", () => {
    const text = fc.oneof(fc.string(), fc.domain(), fc.stringMatching(/^[a-zA-Z0-9.,*/\\-]*$/));
    fc.assert(
      fc.property(text, (given) => {
        const parsed = parseAcmeHostnames(given);
        if (!parsed.ok) return;
        for (const name of parsed.value) expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
        expect(parseAcmeHostnames(parsed.value.join())).toEqual(parsed);
      }),
    );
  });
});
