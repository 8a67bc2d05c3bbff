import { expect, test } from "bun:test";
import { join } from "node:path";

import { measureStalls, STALL_PHASES } from "../../bench/measure-stalls.ts";
import { StallProbe, type StallReading } from "../../bench/stall-probe.ts";
import { untilHolds } from "../kit/broker-process.ts";
import { openPort } from "../kit/http-frontend.ts";

const HEAD = { status: 200, fields: [] } as const;

test("the probe sees the longest time to an answer, once", async () => {
  let requests = 0;
  await using port = openPort((_, exchange) => {
    const reply = () => exchange.reply({ head: HEAD, body: "" });
    if (++requests === 3) setTimeout(reply, 100);
    else reply();
  });
  const probe = new StallProbe(port.port, false);
  await untilHolds("ten requests", () => Promise.resolve(requests >= 10));
  const reading = probe.take();
  expect(reading.longest).toBeGreaterThan(95);
  expect(reading.answers).toBeGreaterThanOrEqual(9);
  await untilHolds("ten more", () => Promise.resolve(requests >= 20));
  expect(probe.take().longest).toBeLessThan(95);
  probe.close();
});

test("a probe without answers has no reading", async () => {
  await using port = openPort((_, exchange) =>
    exchange.reply({ head: { status: 404, fields: [] }, body: "" }),
  );
  const probe = new StallProbe(port.port, false);
  const failed = () => {
    try {
      probe.take();
      return false;
    } catch {
      return true;
    }
  };
  await untilHolds("failed", () => Promise.resolve(failed()));
  probe.close();
});

test("every cause comes within the phase of its name", async () => {
  const log: string[] = [];
  await using port = openPort(({ target }, exchange) => {
    log.push(target);
    exchange.reply({ head: HEAD, body: "" });
  });
  const tell = (word: string) => async () => void log.push(word);
  const onSignal = () => void log.push("SIGHUP");
  process.on("SIGHUP", onSignal);
  const readings: StallReading[] = [];
  const take = () => {
    log.push("take");
    const reading = { longest: readings.length, median: 0, p99: 0, late: 0, answers: 0 };
    readings.push(reading);
    return reading;
  };
  const result = await measureStalls(
    { port: port.port, pid: process.pid },
    {
      probe: { take },
      crowd: { gather: tell("gather"), release: tell("release") },
      tls: false,
      settle: 50,
      journalLine: tell("journal"),
    },
  );
  process.off("SIGHUP", onSignal);
  const phases = log.join(" ").split("take");
  expect(phases.map((words) => words.trim())).toEqual([
    ...[
      "",
      "",
      "",
      "SIGHUP",
      "",
      "/prometheus /metrics",
      "",
      "journal",
      "gather",
      "release",
      "",
      "",
      "",
    ],
  ]);
  // Each phase has the second of its two readings.
  expect(STALL_PHASES.map((phase) => result[phase].longest)).toEqual([1, 3, 5, 7, 9, 11]);
});

test("--help names every option, and rivals of another kind are refused", async () => {
  const run = async (...args: string[]) => {
    const program = join(import.meta.dir, "../../bench/stalls.ts");
    const child = Bun.spawn([process.execPath, program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { exitCode: await child.exited, output, errors };
  };
  const { exitCode, output } = await run("--help");
  expect(exitCode).toBe(0);
  for (const name of ["against", "transport", "proxies", "together"])
    expect(output).toContain(`--${name} `);
  expect(await run("--against", "go-floor")).toMatchObject({
    exitCode: 2,
    errors: "--against: only upstream and previous=DIR\n",
  });
});
