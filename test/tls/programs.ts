/** Suites that need programs of Debian's. */

import { describe, test } from "bun:test";

const PACKAGES = { openssl: "openssl", pebble: "pebble", "pebble-challtestsrv": "pebble" } as const;

export type Program = keyof typeof PACKAGES;

/**
 * A suite that is skipped, with one line that says what to install, where one of the programs is missing; with
 * REQUIRE_PEERS=1 it fails.
 */
export function describeWithPrograms(
  suite: string,
  programs: readonly Program[],
  body: () => void,
): void {
  const missing = programs.filter((program) => Bun.which(program) === null);
  if (missing.length === 0) {
    describe(suite, body);
    return;
  }
  const packages = new Set(missing.map((program) => PACKAGES[program]));
  const needs = `${missing.join(", ")} (apt-get install ${[...packages].join(" ")})`;
  if (process.env["REQUIRE_PEERS"] === "1") {
    test(suite, () => {
      throw new Error(`${suite} needs ${needs}`);
    });
  } else {
    console.log(`skipped ${suite}: needs ${needs}`);
    test.skip(suite, () => undefined);
  }
}
