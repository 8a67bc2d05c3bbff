import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  clientQueueName,
  isClientId,
  isClientQueueUrl,
} from "../../../src/frontend/sqs/client-queue.ts";

describe("a client id", () => {
  test.each(["0123456789abcdef", "a", "A-_z", "x".repeat(63)])("may be %p", (text) => {
    expect(isClientId(text)).toBe(true);
  });

  test.each([
    "",
    "x".repeat(64),
    "abc.fifo",
    "../queue",
    "a b",
    "a\n",
    "\na",
    "a\u0000",
    "é",
    "ａ",
    "https://example.net/1/q",
  ])("may not be %p", (text) => {
    expect(isClientId(text)).toBe(false);
  });

  test("always makes the name of a queue as the service allows it, and never another client's", () => {
    const alphabet = [..."abcXYZ019-_. /\n\u00e9"];
    const text = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "binary" })), (id) => {
        if (!isClientId(id)) return;
        const name = clientQueueName(id);
        expect(name).toMatch(/^snowflake-client-[A-Za-z0-9_-]+$/);
        expect(name.length).toBeLessThanOrEqual(80);
        expect(name.slice("snowflake-client-".length)).toBe(id);
        expect(isClientQueueUrl(`https://sqs.example.net/1/${name}`)).toBe(true);
      }),
    );
  });
});

test.each([
  ["https://sqs.example.net/1/snowflake-client-a", true],
  ["https://sqs.example.net/1/snowflake-broker", false],
  ["https://sqs.example.net/snowflake-client-a/other", false],
  ["https://snowflake-client-a.example.net/1/other", false],
  ["snowflake-client-", true],
  ["", false],
])("the URL %p is that of a client's queue: %p", (url, expected) => {
  expect(isClientQueueUrl(url)).toBe(expected);
});
