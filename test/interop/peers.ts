/** Which real peers there are on this machine, and what becomes of the suites that need them. */

import { describe, test } from "bun:test";

import { NEWEST_NEEDED, type NewestPrograms, newestPrograms } from "./newest-programs.ts";

/** Programs of Debian that the suites run, and the package of each. */
const DEBIAN_PACKAGES = {
  "snowflake-client": "snowflake-client",
  "snowflake-proxy": "snowflake-proxy",
  turnserver: "coturn",
  openssl: "openssl",
  curl: "curl",
  h2load: "nghttp2-client",
  chromium: "chromium",
} as const;

export type DebianProgram = keyof typeof DEBIAN_PACKAGES;

/** What every suite needs. */
export const PEERS: readonly DebianProgram[] = [
  "snowflake-client",
  "snowflake-proxy",
  "turnserver",
];

/** Longest time of one test, in ms: it takes 1 s, or 11 s if the client has to make its offer again. */
export const TEST_TIMEOUT = 25_000;

/** Whether a missing Debian peer is a failure. */
const REQUIRED = process.env["REQUIRE_PEERS"] === "1";

/**
 * A suite that needs programs of Debian. If any is missing it is skipped, with one line that says what to install; with
 * REQUIRE_PEERS=1 it fails.
 */
export function describeWithPeers(
  suite: string,
  programs: readonly DebianProgram[],
  body: () => void,
): void {
  const missing = programs.filter((program) => Bun.which(program) === null);
  const packages = missing.map((program) => DEBIAN_PACKAGES[program]).join(" ");
  const needs = `${missing.join(", ")} (apt-get install ${packages})`;
  if (missing.length === 0) describe(`interop/${suite}`, body);
  else if (REQUIRED) fail(suite, needs);
  else skip(suite, needs);
}

/**
 * A suite that needs upstream's newest programs, which no package has: `client`, `proxy` and `server` in the directory
 * that SNOWFLAKE_PEERS_DIR names, and programs of Debian. If the variable is not set it is skipped, even with
 * REQUIRE_PEERS=1; if it is, all three have to be there.
 */
export function describeWithNewestPeers(
  suite: string,
  programs: readonly DebianProgram[],
  body: (peers: NewestPrograms) => void,
): void {
  const peers = newestPrograms();
  if (peers === undefined) {
    skip(suite, NEWEST_NEEDED);
    return;
  }
  const missing = Object.values(peers).filter((program) => Bun.which(program) === null);
  if (missing.length > 0) fail(suite, missing.join(", "));
  else describeWithPeers(suite, programs, () => body(peers));
}

function fail(suite: string, needs: string): void {
  test(`interop/${suite}`, () => {
    throw new Error(`interop/${suite} needs ${needs}`);
  });
}

function skip(suite: string, needs: string): void {
  console.log(`skipped interop/${suite}: needs ${needs}`);
  test.skip(`interop/${suite}`, () => undefined);
}
