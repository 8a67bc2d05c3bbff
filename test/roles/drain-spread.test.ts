import { expect, test } from "bun:test";
import { connect } from "node:net";

import { BrokerProcess } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";

const PEERS = 20;

/** Opens a connection, has one request answered, and resolves to the time at which the broker closes it. */
async function idleUntilClosed(url: string): Promise<{ readonly closedAt: Promise<number> }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const closedAt = new Promise<number>((resolve) => {
    socket.once("end", () => resolve(performance.now()));
  });
  const answered = new Promise((resolve) => socket.once("data", resolve));
  socket.write("GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n");
  await answered;
  return { closedAt };
}

for (const role of ["all in one", "workers"]) {
  test(`a drain closes idle connections over --drain-spread: ${role}`, async () => {
    const workers = role === "workers" ? ["--workers=2", `--addr=127.0.0.1:${freePort()}`] : [];
    await using broker = await BrokerProcess.start("--drain-spread=1s", ...workers);
    const idle = await Promise.all(
      Array.from({ length: PEERS }, () => idleUntilClosed(broker.url)),
    );
    broker.signal("SIGTERM");
    const times = (await Promise.all(idle.map(({ closedAt }) => closedAt))).toSorted(
      (a, b) => a - b,
    );
    const [first = 0] = times;
    expect((times.at(-1) ?? 0) - first).toBeGreaterThan(500);
    expect((times[PEERS / 2] ?? 0) - first).toBeWithin(150, 900);
    expect(await broker.exited).toBe(0);
  });
}
