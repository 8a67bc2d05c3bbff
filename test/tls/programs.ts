/** Suites that need programs of others. */

import { describe, test } from "bun:test";
import { existsSync } from "node:fs";

/** nginx loads this where a configuration has `stream`. */
export const NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** How each is had: programs of the PATH, and files. */
const INSTALL = {
  curl: "apt-get install curl",
  go: "apt-get install golang-go",
  h2load: "apt-get install nghttp2-client",
  h2spec: "go install github.com/summerwind/h2spec/cmd/h2spec@latest",
  haproxy: "apt-get install haproxy",
  nghttp: "apt-get install nghttp2-client",
  nginx: "apt-get install nginx-light",
  [NGINX_STREAM_MODULE]: "apt-get install libnginx-mod-stream",
  openssl: "apt-get install openssl",
  pebble: "apt-get install pebble",
  "pebble-challtestsrv": "apt-get install pebble",
} as const;

export type Program = keyof typeof INSTALL;

/** A suite that is skipped, with one line that says what to install, where one of the programs is missing. */
export function describeWithPrograms(
  suite: string,
  programs: readonly Program[],
  body: () => void,
): void {
  const missing = programs.filter((program) => Bun.which(program) === null && !existsSync(program));
  const commands = new Set(missing.map((program) => INSTALL[program]));
  const needs = `${missing.join(", ")} (${[...commands].join("; ")})`;
  describeUnless(missing.length === 0 ? undefined : needs, suite, body);
}

/** A suite that is skipped, with a line, where something is needed; with REQUIRE_PEERS=1 it fails. */
export function describeUnless(needs: string | undefined, suite: string, body: () => void): void {
  if (needs === undefined) {
    describe(suite, body);
  } else if (process.env["REQUIRE_PEERS"] === "1") {
    test(suite, () => {
      throw new Error(`${suite} needs ${needs}`);
    });
  } else {
    console.log(`skipped ${suite}: needs ${needs}`);
    test.skip(suite, () => undefined);
  }
}
