/**
 * Runs the tests and ends with one plain line of what really ran: `N passed, N failed, N skipped`.
 *
 * The suites with real peers run where loopback is the only network. With arguments only those files or folders run,
 * in one go. Peers that are missing are skipped with a line each. With REQUIRE_PEERS=1 they are failures, but for
 * upstream's newest programs, which only the environment can name.
 */

import { availableParallelism, constants } from "node:os";
import { join } from "node:path";

import { mortal } from "../test/kit/mortal.ts";
import { findUpstreamBroker, UPSTREAM_BROKER_NEEDED } from "../test/kit/upstream-broker.ts";
import { openRunDirectory } from "./run-directory.ts";
import { parseTestReport, type TestReport, withSkipsFailed } from "./test-report.ts";

const TIMEOUT = 30_000;

/** Most tests wait for something, so one process more than there are cores keeps all of them busy. */
const PARALLEL = `--parallel=${availableParallelism() + 1}`;
const INTEROP = "test/interop";
/** Asks both kinds of broker by itself, so that its waits run side by side. */
const LONG_POLLS = "test/interop/long-polls.test.ts";
const ACME = "test/acme";
const ROTATION = "test/tls/rotation.test.ts";
const RESTARTS = "test/roles/split-under-load.test.ts";

/** The suites whose peers no package has. They alone may be skipped where peers are required. */
const BY_VARIABLE = new Set([
  "interop/newest-peers",
  "interop/long-polls-newest",
  "interop/frozen-proxy",
]);
const UPSTREAM_BROKER = findUpstreamBroker(process.env);
const REQUIRE_PEERS = process.env["REQUIRE_PEERS"] === "1";

const directory = openRunDirectory();
/** What runs now. */
let current: Bun.Subprocess | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void interrupt(signal));
}

async function interrupt(signal: "SIGINT" | "SIGTERM"): Promise<never> {
  current?.kill("SIGKILL");
  await current?.exited;
  directory[Symbol.dispose]();
  process.exit(128 + constants.signals[signal]);
}

interface RunOptions {
  /** What runs the tests' command. */
  readonly wrapper?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

async function run(
  name: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<TestReport> {
  const outfile = join(directory.path, `${name}.xml`);
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
  current = Bun.spawn(mortal(command), {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...options.env },
  });
  const exitCode = await current.exited;
  const written = parseTestReport(
    await Bun.file(outfile)
      .text()
      .catch(() => ""),
  );
  const report = REQUIRE_PEERS ? withSkipsFailed(written, BY_VARIABLE) : written;
  // A run that failed before or beside its tests, say in a hook, is a failure that no test counts.
  const failed = exitCode !== 0 && report.failed === 0 ? 1 : report.failed;
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return { ...report, failed };
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
  const together = [PARALLEL, ...others.map((path) => `--path-ignore-patterns=${path}`)];
  return [
    await run("tests", [...together, "test"]),
    await run("conformance-split", [PARALLEL, CONFORMANCE], SPLIT),
    await runConformanceOfUpstream(),
    await run("interop", alone, LOOPBACK_ONLY),
    await run("interop-split", [`--path-ignore-patterns=${LONG_POLLS}`, INTEROP], {
      ...LOOPBACK_ONLY,
      ...SPLIT,
    }),
  ];
}

/** Asks upstream's broker the questions of the conformance suite. This shows that what the suite expects is right. */
async function runConformanceOfUpstream(): Promise<TestReport> {
  const name = "conformance-upstream";
  if (UPSTREAM_BROKER !== undefined) {
    return run(name, [PARALLEL, CONFORMANCE], { env: { TARGET: "upstream" } });
  }
  console.log(`skipped ${name}: needs ${UPSTREAM_BROKER_NEEDED}`);
  return { passed: 0, failed: 0, skipped: [name] };
}

const runs = chosen.length > 0 ? [await run("chosen", chosen)] : await runAll();
directory[Symbol.dispose]();

const sum = (count: (report: TestReport) => number) =>
  runs.reduce((total, report) => total + count(report), 0);
const passed = sum((report) => report.passed);
const failed = sum((report) => report.failed);
const skipped = sum((report) => report.skipped.length);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
