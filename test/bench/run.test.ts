import { expect, test } from "bun:test";
import { join } from "node:path";

import { givenCount, parseOptions, UsageError } from "../../bench/options.ts";

const RUN = join(import.meta.dir, "../../bench/run.ts");

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, RUN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, SNOWFLAKE_UPSTREAM_BROKER: undefined, SNOWFLAKE_PEERS_DIR: undefined },
  });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, output, errors };
}

test("--help names every option, and measures nothing", async () => {
  const { exitCode, output } = await run("--help", "--seconds", "1");
  expect(exitCode).toBe(0);
  for (const name of [
    "against",
    "idle",
    "flat",
    "mixed",
    "split",
    "tls",
    "transport",
    "field",
    "sqs-clients",
    "proxies",
    "clients",
    "rounds",
    "json",
  ])
    expect(output).toContain(`--${name} `);
});

test("upstream's broker that is not there: how to name it", async () => {
  const { exitCode, errors } = await run("--against", "upstream");
  expect(exitCode).toBe(1);
  expect(errors).toContain("--against upstream needs SNOWFLAKE_UPSTREAM_BROKER=");
});

test("a checkout that is not there", async () => {
  const { exitCode, errors } = await run("--against", "previous=/nonexistent");
  expect(exitCode).toBe(1);
  expect(errors).toContain("there is no /nonexistent/src/main.ts");
});

test.each([
  ["an unknown option", ["--nope"], "--nope"],
  ["an argument without option", ["nope"], "nope"],
  [
    "an unknown rival",
    ["--against", "nope"],
    "none of upstream, go-floor, uncounted, previous=DIR",
  ],
  ["a rival without its directory", ["--against", "previous"], "previous=DIR"],
  ["a directory of no rival", ["--against", "go-floor=x"], "previous=DIR"],
  ["an unknown transport", ["--transport", "h4"], "none of plain, tls, tls-fresh, h2, h2-fresh"],
  ["a transport in a mode with its own", ["--field", "9", "--transport", "h2"], "--field goes"],
  ["a transport beside a key", ["--tls", "p256", "--transport", "h2"], "--tls goes"],
  ["two modes without clients", ["--field", "9", "--idle", "5"], "--field"],
  ["a count that is none", ["--rounds", "0"], "--rounds"],
  ["two modes", ["--flat", "--idle", "5"], "--flat"],
  ["two other modes", ["--mixed", "--flat"], "--mixed"],
  ["two more modes", ["--split", "--tls", "p256"], "--split"],
  ["an unknown kind of key", ["--tls", "dsa"], "none of p256, rsa2048, rsa4096"],
  ["a rival in a mode without", ["--mixed", "--against", "uncounted"], "--mixed"],
])("%s", async (_, args, message) => {
  const { exitCode, errors } = await run(...args);
  expect(exitCode).toBe(2);
  expect(errors).toContain(message);
});

const OPTIONS = {
  count: { type: "string", default: "7", help: "" },
  other: { type: "string", help: "" },
  on: { type: "boolean", help: "" },
} as const;

test("defaults, repetition and switches", () => {
  const given = parseOptions(["--other", "1", "--on", "--other=2"], OPTIONS);
  expect(givenCount(given, "count", 1)).toBe(7);
  expect(given.texts.get("other")).toEqual(["1", "2"]);
  expect(givenCount(given, "other", 1)).toBe(2);
  expect(given.switches.has("on")).toBe(true);
  expect(givenCount(parseOptions([], OPTIONS), "other", 1)).toBeUndefined();
});

test.each(["", "-1", "1.5", "1e3", " 5", "0x10", "9999999999", "4"])("count %j", (text) => {
  const given = parseOptions([`--other=${text}`], OPTIONS);
  expect(() => givenCount(given, "other", 5)).toThrow(UsageError);
});
