import { describe, expect, test } from "bun:test";

import { parseLoadResult } from "../../bench/load-result.ts";
import { runLoad, startServer } from "../../bench/processes.ts";
import { BUN_FLOOR, PLAIN, type Target } from "../../bench/targets.ts";

const never = new AbortController().signal;

/** Why the promise rejects. */
async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String(error);
  }
  return "it does not";
}

test("a second of load on the floor, end to end", async () => {
  await using server = await startServer(BUN_FLOOR, PLAIN, never);
  const options = ["--constant", "--clients", "2", "--warmup", "0", "--seconds", "1"];
  const result = await runLoad(server, options, never);
  if (result.kind !== "matching") throw new Error("not the kind asked for");
  expect(result.errors).toEqual({});
  expect(result.matches).toBeGreaterThan(10);
  expect(result.seconds).toBeGreaterThanOrEqual(1);
  expect(result.matchesPerSecond * result.seconds).toBeCloseTo(result.matches);
  // No exchange is free, and one core has a million microseconds a second; Bun has more than one thread.
  expect(result.cpuPerMatch * result.matches).toBeGreaterThan(0);
  expect(result.cpuPerMatch * result.matches).toBeLessThan(result.seconds * 8e6);
  expect(result.latencyP50).toBeGreaterThan(0);
  expect(result.latencyP50).toBeLessThanOrEqual(result.latencyP99);
  expect(result.latencyP99).toBeLessThanOrEqual(result.latencyMax);
  expect(result.residentKb).toBeLessThanOrEqual(result.peakKb);
});

test("the server's process is gone when disposed of", async () => {
  const server = await startServer(BUN_FLOOR, PLAIN, never);
  await server[Symbol.asyncDispose]();
  expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
});

test("a server that ends at once fails with the end of its log", async () => {
  const script = "console.error('no licence'); process.exit(3)";
  const target: Target = {
    ...BUN_FLOOR,
    command: () => [process.execPath, "-e", script],
  };
  expect(await reasonOf(startServer(target, PLAIN, never))).toContain(
    "did not start: it exited; so far: no licence",
  );
});

describe("parseLoadResult", () => {
  const idle = {
    kind: "idle",
    waiting: 5,
    baselineKb: 1,
    residentKb: 2,
    peakKb: 3,
    kbPerProxy: 0.2,
    settleSeconds: 12,
    settled: true,
    errors: { "/client: not JSON": 2 },
  };

  const field = {
    kind: "field",
    seconds: 2,
    polls: 50,
    cpuPerPoll: 400,
    handshakes: 3,
    residentKb: 2,
    peakKb: 3,
    generatorLoad: 0.1,
    errors: {},
  };

  const method = {
    matches: 8,
    matchesPerSecond: 4,
    latencyP50: 1,
    latencyP99: 2,
    latencyMax: 3,
    errors: 0,
  };
  const mixed = {
    kind: "mixed",
    seconds: 2,
    matches: 24,
    matchesPerSecond: 12,
    cpuPerMatch: 100,
    residentKb: 2,
    peakKb: 3,
    idlePolls: 0,
    generatorLoad: 0.5,
    methods: { http: method, ampcache: method, sqs: method },
    errors: {},
  };

  test.each([idle, mixed, field])("a result", (result) => {
    expect(JSON.stringify(parseLoadResult(JSON.stringify(result)))).toBe(JSON.stringify(result));
  });

  test.each([
    ["nothing", ""],
    ["no object", "[]"],
    ["another kind", JSON.stringify({ ...idle, kind: "matching" })],
    ["a number missing", JSON.stringify({ ...idle, peakKb: undefined })],
    ["a number that is none", JSON.stringify({ ...idle, kbPerProxy: Number.NaN })],
    ["errors that are no counts", JSON.stringify({ ...idle, errors: { a: "b" } })],
    ["a method missing", JSON.stringify({ ...mixed, methods: { http: method, sqs: method } })],
    [
      "a method's number that is none",
      JSON.stringify({ ...mixed, methods: { ...mixed.methods, sqs: { ...method, errors: {} } } }),
    ],
    ["a count of polls missing", JSON.stringify({ ...field, polls: undefined })],
    ["no errors member", JSON.stringify({ ...idle, errors: undefined })],
  ])("%s throws", (_, text) => {
    expect(() => parseLoadResult(text)).toThrow();
  });
});
