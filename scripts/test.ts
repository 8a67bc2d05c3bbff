/**
 * Runs the tests and ends with one plain line of what really ran: `N passed, N failed, N skipped`.
 *
 * The suites with real peers run where loopback is the only network. With arguments only those files or folders run,
 * in one go. Peers that are missing are skipped with a line each, unless REQUIRE_PEERS=1 makes them failures.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIMEOUT = 30_000;
const INTEROP = "test/interop";
const ACME = "test/acme";
const ROTATION = "test/tls/rotation.test.ts";
const RESTARTS = "test/roles/split-under-load.test.ts";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const results = mkdtempSync(join(tmpdir(), "snowflake-broker-test-"));

interface RunOptions {
  /** What runs the tests' command. */
  readonly wrapper?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

async function run(name: string, args: readonly string[], options: RunOptions = {}) {
  const outfile = join(results, `${name}.xml`);
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    "test",
    "--only-failures",
    `--timeout=${TIMEOUT}`,
    "--reporter=junit",
    `--reporter-outfile=${outfile}`,
    ...args,
  ];
  const started = performance.now();
  const tests = Bun.spawn(command, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...options.env },
  });
  const exitCode = await tests.exited;
  const counts = countResults(outfile);
  // A run that failed before or beside its tests, say in a hook, is a failure that no test counts.
  const failed = exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed;
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { ...counts, failed };
}

/** Adds up what a JUnit report says; a report that is missing counts as one failure. */
function countResults(outfile: string): Counts {
  let report: string;
  try {
    report = readFileSync(outfile, "utf8");
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const [total = ""] = /<testsuites [^>]*>/.exec(report) ?? [];
  const count = (attribute: string) =>
    Number(new RegExp(` ${attribute}="(\\d+)"`).exec(total)?.[1] ?? Number.NaN);
  const failed = count("failures");
  const skipped = count("skipped");
  return { passed: count("tests") - failed - skipped, failed, skipped };
}

const chosen = process.argv.slice(2);
const CONFORMANCE = "test/conformance";
const SPLIT = { env: { TARGET: "split" } };
const LOOPBACK_ONLY = { wrapper: ["sh", join(INTEROP, "loopback-only.sh")] };

/** Everything, and what asks a broker from outside also of a core and an http-frontend. */
async function runAll() {
  // What measures time under load runs alone.
  const alone = [INTEROP, ACME, ROTATION, RESTARTS];
  const others = [INTEROP, ACME].map((folder) => `${folder}/**`).concat(ROTATION, RESTARTS);
  const together = ["--parallel", ...others.map((path) => `--path-ignore-patterns=${path}`)];
  return [
    await run("tests", [...together, "test"]),
    await run("conformance-split", ["--parallel", CONFORMANCE], SPLIT),
    await run("interop", alone, LOOPBACK_ONLY),
    await run("interop-split", [INTEROP], { ...LOOPBACK_ONLY, ...SPLIT }),
  ];
}

const runs = chosen.length > 0 ? [await run("chosen", chosen)] : await runAll();
rmSync(results, { recursive: true });

const sum = (key: keyof Counts) => runs.reduce((total, counts) => total + counts[key], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exit(sum("failed") === 0 && sum("passed") > 0 ? 0 : 1);
