import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type Case, matchingCases, mixedCase, tlsCases, type Way } from "../../bench/cases.ts";
import { prepareCounting } from "../../bench/counting.ts";
import { METHODS } from "../../bench/load-result.ts";
import type { GivenOptions } from "../../bench/options.ts";
import {
  BUN_FLOOR,
  findPrevious,
  OURS,
  PLAIN,
  splitTargets,
  type Target,
  UNCOUNTED,
} from "../../bench/targets.ts";
import { makeTlsFlags } from "../../bench/tls-flags.ts";
import { describeWithPrograms } from "../tls/programs.ts";

/** As little as there can be of a load. */
const GIVEN: GivenOptions = {
  texts: new Map(
    Object.entries({
      proxies: ["32"],
      clients: ["2"],
      "amp-clients": ["1"],
      "sqs-clients": ["1"],
      seconds: ["1"],
      warmup: ["0"],
    }),
  ),
  switches: new Set(),
};

function run(entry: Case) {
  return entry.run([], new AbortController().signal);
}

async function runMatching(target: Target) {
  const [entry] = matchingCases([target], GIVEN);
  if (entry === undefined) throw new Error("no case");
  const result = await run(entry);
  if (result.kind !== "matching") throw new Error("not the kind asked for");
  return result;
}

test("a second of clients that come by every way, end to end", async () => {
  const result = await run(mixedCase(GIVEN));
  if (result.kind !== "mixed") throw new Error("not the kind asked for");
  expect(result.errors).toEqual({});
  for (const method of METHODS) {
    const { matches, latencyP50, latencyP99, errors } = result.methods[method];
    expect(matches).toBeGreaterThan(0);
    expect(latencyP50).toBeGreaterThan(0);
    expect(latencyP50).toBeLessThanOrEqual(latencyP99);
    expect(errors).toBe(0);
  }
  const { http, ampcache, sqs } = result.methods;
  expect(http.matches + ampcache.matches + sqs.matches).toBe(result.matches);
  expect(result.cpuPerMatch).toBeGreaterThan(0);
});

test("a second of the broker that counts nothing, end to end", async () => {
  const result = await runMatching(UNCOUNTED);
  expect(result.errors).toEqual({});
  expect(result.matches).toBeGreaterThan(0);
});

test("a second of a core with http-frontends, each process with CPU time of its own", async () => {
  const [, one] = splitTargets();
  if (one === undefined) throw new Error("no target");
  const result = await runMatching(one);
  expect(result.errors).toEqual({});
  expect(result.matches).toBeGreaterThan(0);
  expect(result.firstCpuPerMatch).toBeGreaterThan(0);
  expect(result.firstCpuPerMatch).toBeLessThan(result.cpuPerMatch);
});

describeWithPrograms("bench/tls", ["openssl"], () => {
  test("a second of HTTP/2 on kept connections: this broker, another checkout of it, and the floor", async () => {
    using flags = makeTlsFlags("p256");
    const targets = [OURS, findPrevious(join(import.meta.dir, "../..")), BUN_FLOOR];
    const way: Way = { transport: "h2", flags: flags.transport };
    for (const entry of matchingCases(targets, GIVEN, way)) {
      const result = await run(entry);
      if (result.kind !== "matching") throw new Error("not the kind asked for");
      expect(result.errors).toEqual({});
      expect(result.matches).toBeGreaterThan(0);
    }
  });

  test("a second of TLS connections, a new one for each request", async () => {
    using flags = makeTlsFlags("p256");
    for (const entry of tlsCases(GIVEN, { transport: "tls-fresh", flags: flags.transport })) {
      const result = await run(entry);
      if (result.kind !== "matching") throw new Error("not the kind asked for");
      expect(result.errors).toEqual({});
      expect(result.matches).toBeGreaterThan(0);
    }
  });
});

test("a second of the broker that counts everything, with files that are gone in the end", async () => {
  const built = prepareCounting({ ipv4: "/nonexistent", ipv6: "/nonexistent", origin: "none" });
  const files = built.target.command(1, PLAIN).filter((text) => text.startsWith(tmpdir()));
  const directory = dirname(files.at(-1) ?? "");
  const result = await runMatching(built.target);
  expect(result.errors).toEqual({});
  expect(result.matches).toBeGreaterThan(0);
  // The two country files; and of the round the report, and the journals that were written in the end.
  expect(readdirSync(directory)).toContain("geoip6");
  expect(readdirSync(directory).filter((name) => /^\d+/.test(name)).length).toBeGreaterThan(1);
  built[Symbol.dispose]();
  expect(existsSync(directory)).toBe(false);
});
