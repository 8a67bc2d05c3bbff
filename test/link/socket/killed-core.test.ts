import { expect, test } from "bun:test";
import { join } from "node:path";

import { systemClock } from "../../../src/system/system-clock.ts";
import { SocketDirectory, TestFrontend, until } from "./linked.ts";

/** Starts a core in a process of its own and waits until it listens. */
async function startCore(path: string) {
  const core = Bun.spawn([process.execPath, join(import.meta.dir, "core-process.ts"), path], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await core.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("ready\n");
  return core;
}

test("a core that is killed in the middle of everything costs its peers nothing but time", async () => {
  using directory = new SocketDirectory();
  const { path } = directory;
  const first = await startCore(path);
  using frontend = await TestFrontend.start(path, { clock: systemClock, random: Math.random });
  const polls = Array.from({ length: 100 }, (_, i) => frontend.poll(`p${i}`));
  const inFlight = frontend.offer("in flight");
  await until(() => polls.some((poll) => poll.outcome?.kind === "matched"));
  const given = polls.find((poll) => poll.outcome?.kind === "matched");
  first.kill("SIGKILL");
  await first.exited;
  const second = await startCore(path);
  await until(() => frontend.broker.connected);
  // One proxy's poll is over, and another has its offer.
  const offers = Array.from({ length: 98 }, (_, i) => frontend.offer(`o${i}`));
  await until(() => polls.every((poll) => poll.outcome !== undefined));
  for (const [i, poll] of polls.entries()) {
    expect(poll.outcome?.kind).toBe("matched");
    expect(await frontend.answer(`p${i}`, "a")).toBe(poll === given ? "client-gone" : "delivered");
  }
  await until(() => inFlight.outcome?.kind === "answered");
  await until(() => offers.every((offer) => offer.outcome?.kind === "answered"));
  second.kill();
  await second.exited;
});
