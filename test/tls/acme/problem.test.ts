import { expect, test } from "bun:test";

import fc from "fast-check";

import { parseProblem } from "../../../src/tls/acme/problem.ts";

const TYPE = "urn:ietf:params:acme:error:";

test("what the authority says", () => {
  expect(parseProblem({ type: `${TYPE}rateLimited`, detail: "too many", status: 429 })).toEqual({
    type: "rateLimited",
    text: "too many",
  });
});

test("what it says of each host name", () => {
  const subproblems = [
    { detail: "forbidden", identifier: { type: "dns", value: "a.example" } },
    { detail: "of no name" },
    null,
    { identifier: "b.example" },
  ];
  expect(parseProblem({ type: `${TYPE}malformed`, detail: "some", subproblems })).toEqual({
    type: "malformed",
    text: "some; a.example: forbidden; of no name",
  });
});

test("is on one line, and not too long", () => {
  const subproblems = Array.from({ length: 100 }, () => ({ detail: "x".repeat(10_000) }));
  const { text } = parseProblem({ detail: " a\n\tb\u2028c", subproblems });
  expect(text).toStartWith("a b c; xxx");
  expect(text.length).toBeLessThan(3000);
});

test("other types are none of ACME's", () => {
  expect(parseProblem({ type: "about:blank", detail: "x" })).toEqual({ type: "", text: "x" });
});

test("a document that is anything gives two lines of text", () => {
  const like = fc.record(
    { type: fc.anything(), detail: fc.anything(), subproblems: fc.anything() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.json().map((text): unknown => JSON.parse(text)),
        like,
      ),
      (document) => {
        const { type, text } = parseProblem(document);
        expect(type).toBeString();
        expect(text).not.toContain("\n");
      },
    ),
  );
});
