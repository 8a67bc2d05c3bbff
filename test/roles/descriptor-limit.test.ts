import { expect, test } from "bun:test";

import { readCpuTime } from "../../bench/process-usage.ts";
import { RawConnection } from "../frontend/http/raw-http.ts";
import { brokerCommand } from "../kit/broker-process.ts";
import { ServerProcess } from "../kit/server-process.ts";

/** Open files that the broker may have, and connections that want to be among them. */
const LIMIT = 200;
const CROWD = 400;

/** Seconds for which the broker is watched at its limit. */
const WATCH = 2;

async function startLimited(): Promise<{ broker: ServerProcess; port: number }> {
  const command = brokerCommand("--disable-tls", "--addr=127.0.0.1:0", "--disable-geoip");
  const broker = new ServerProcess([
    "sh",
    "-c",
    `ulimit -n ${LIMIT} && exec "$@"`,
    "sh",
    ...command,
  ]);
  const line = await broker.logged("listening on");
  return { broker, port: Number(/:(\d+)\/$/.exec(line)?.[1]) };
}

/** How much of one CPU the broker takes while nothing is asked of it. */
async function idleShare(broker: ServerProcess): Promise<number> {
  await Bun.sleep(500);
  const before = readCpuTime(broker.pid);
  await Bun.sleep(WATCH * 1_000);
  const after = readCpuTime(broker.pid);
  return (after.tree - before.tree) / 1_000_000 / WATCH;
}

async function isServed(port: number): Promise<boolean> {
  const connection = await RawConnection.open(port);
  connection.send("GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n");
  const response = await connection.response();
  connection.end();
  return response?.statusLine === "HTTP/1.1 200 OK";
}

function poll(n: number): string {
  const body = `{"Sid":"s${n}","Version":"1.3","NAT":"open","AcceptedRelayPattern":"snowflake.torproject.net$"}`;
  return `POST /proxy HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.18.${n >> 8}.${n & 255}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

test("more silent connections than open files are allowed keep nobody out, and cost nothing", async () => {
  const { broker, port } = await startLimited();
  await using _ = broker;
  const crowd = [];
  for (let n = 0; n < CROWD; n++) crowd.push(await RawConnection.open(port));
  expect(await idleShare(broker)).toBeLessThan(0.1);
  expect(await isServed(port)).toBe(true);
  expect(broker.log.match(/as many connections as/g)).toHaveLength(1);
  for (const connection of crowd) connection.end();
});

test("where all connections wait for a client, others are closed at once, until there is room", async () => {
  const { broker, port } = await startLimited();
  await using _ = broker;
  const crowd: RawConnection[] = [];
  for (let n = 0; n < CROWD; n++) {
    // Once it is closed by the time that it is open, the runtime says that it could not be opened.
    const connection = await RawConnection.open(port).catch(() => undefined);
    connection?.send(poll(n));
    if (connection !== undefined) crowd.push(connection);
    // The poll is read before the next connection comes.
    if (n % 10 === 0) await Bun.sleep(5);
  }
  expect(await idleShare(broker)).toBeLessThan(0.1);
  const open = crowd.filter((connection) => !connection.closed);
  expect(open.length).toBeWithin(100, LIMIT);
  for (const connection of open) connection.end();
  await Bun.sleep(300);
  expect(await isServed(port)).toBe(true);
}, 20_000);
