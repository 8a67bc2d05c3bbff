/** Clients that others wrote, with random requests over HTTP/2 to a real server. */

import { join } from "node:path";

import { HttpServer } from "../../src/http/server.ts";
import { HUNG_UP } from "../../src/http/sockets.ts";
import { echo, ECHO_FIELDS } from "../../test/http/http2/echo.ts";
import { ANY_CERTIFICATE } from "../../test/tls/any-certificate.ts";

/** Seconds for each turn of Go's client. */
const TURN = 10;

export interface PeersResult {
  readonly requests: number;
  /** What went wrong first. Undefined: nothing. */
  readonly failure: string | undefined;
}

/** Lets Go's `net/http` and nghttp ask by turns, with seeds from this one on, until the time is up, in ms. */
export async function fuzzWithPeers(firstSeed: number, time: number): Promise<PeersResult> {
  for (const program of ["go", "nghttp"])
    if (Bun.which(program) === null) throw new Error(`peers needs \`${program}\` on the PATH`);
  const wrong: string[] = [];
  const server = new HttpServer({
    ...{ hostname: "127.0.0.1", port: 0, tls: ANY_CERTIFICATE, sharePort: false },
    handler: echo(),
    fields: ECHO_FIELDS,
    onBug: (error) => wrong.push(`a bug: ${String(error)}`),
    events: {
      opened() {},
      closed() {},
      worked() {},
      struck: (bound) => wrong.push(`${bound} struck`),
      handshakeFailed: (reason) => {
        if (reason !== HUNG_UP) wrong.push(`a handshake failed: ${reason}`);
      },
    },
    maxConnections: 1_000,
  });
  const url = `https://127.0.0.1:${server.port}/`;
  let requests = 0;
  try {
    const end = performance.now() + time;
    for (let seed = firstSeed; performance.now() < end && wrong.length === 0; seed++) {
      const left = Math.ceil((end - performance.now()) / 1000);
      const client = join(import.meta.dir, "go-client.go");
      const args = [url, String(seed), String(Math.min(TURN, left))];
      const go = await run("go", "run", client, ...args);
      if (go.failed) wrong.push(`Go, seed ${seed}: ${go.output}`);
      else requests += Number(go.output);
      for (const path of ["long", ""]) {
        const nghttp = await run("nghttp", "--null-out", "--stat", ...flagsOf(seed), url + path);
        const replies = nghttp.output.match(/ 200 .*\//g)?.length ?? 0;
        if (nghttp.failed || replies === 0) wrong.push(`nghttp, seed ${seed}: ${nghttp.output}`);
        requests += replies;
      }
    }
    for (let n = 0; server.connections > 0 && n < 200; n++) await Bun.sleep(10);
    if (server.connections > 0) wrong.push(`${server.connections} connections are left`);
  } finally {
    await server.stop(0);
  }
  return { requests, failure: wrong[0] };
}

/** nghttp's flags for this seed. */
function flagsOf(seed: number): string[] {
  const digit = (n: number) => Math.floor(seed / 4 ** n) % 4;
  return [
    `--window-bits=${10 + 2 * digit(0)}`,
    `--connection-window-bits=${10 + 2 * digit(1)}`,
    `--padding=${85 * digit(2)}`,
    `--multiply=${1 + 30 * digit(3)}`,
    ...(digit(0) % 2 === 0 ? ["--continuation"] : []),
    ...(digit(1) === 0 ? ["--header-table-size=0"] : []),
  ];
}

async function run(...command: string[]): Promise<{ output: string; failed: boolean }> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { output: output + errors, failed: code !== 0 };
}
