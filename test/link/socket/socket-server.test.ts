import { describe, expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { DEFAULT_POLL_INTERVALS } from "../../../src/broker/policy/poll-intervals.ts";
import { PAGE_CALL } from "../../../src/link/socket/pages.ts";
import { serveBrokerOnSocket } from "../../../src/link/socket/socket-server.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { FakeClock } from "../../kit/fake-clock.ts";
import { TestBroker } from "../../kit/test-broker.ts";
import { SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";
import { frameBytes, helloBytes, RawPeer } from "./raw-peer.ts";

/** Tries to serve on a path and returns what is wrong with that. */
async function errorOf(path: string): Promise<string> {
  const served = await serveBrokerOnSocket({
    path,
    broker: new TestBroker().broker,
    pollIntervals: () => DEFAULT_POLL_INTERVALS,
    clock: new FakeClock(),
    page: async () => undefined,
    onCount() {},
    onBug() {},
    report() {},
  });
  if (!served.ok) return served.error;
  await served.socket.stop();
  throw new Error("it listens");
}

describe("the core's socket", () => {
  test("is for its owner and group, whatever the process makes else, and is gone at the end", async () => {
    using directory = new SocketDirectory();
    const before = process.umask(0);
    try {
      await using core = await TestCore.start(directory.path);
      const mode = statSync(directory.path).mode & 0o777;
      expect(mode.toString(8)).toBe("660");
      expect(core.socket.frontends).toBe(0);
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
    }
    expect(existsSync(directory.path)).toBe(false);
  });

  test("replaces one that a core left behind when it was killed", async () => {
    using directory = new SocketDirectory();
    const { path } = directory;
    const killed = Bun.spawn([
      process.execPath,
      "-e",
      `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL");`,
    ]);
    await killed.exited;
    expect(existsSync(path)).toBe(true);
    await using core = await TestCore.start(path);
    using frontend = await TestFrontend.start(path);
    await frontend.settled();
    expect(core.socket.frontends).toBe(1);
  });

  test("does not replace one where a core answers, nor disturb that core", async () => {
    using directory = new SocketDirectory();
    await using core = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    expect(await errorOf(directory.path)).toBe(
      `cannot listen on ${directory.path}: another core is serving it`,
    );
    await frontend.settled();
    expect(core.reports).toEqual(["a frontend is connected"]);
  });

  test("does not replace a file that is none", async () => {
    using directory = new SocketDirectory();
    writeFileSync(directory.path, "precious");
    expect(await errorOf(directory.path)).toContain("there is a file that is no socket");
    expect(existsSync(directory.path)).toBe(true);
  });

  test("can't be where there is no directory, nor where a path is too long", async () => {
    using directory = new SocketDirectory();
    const beside = dirname(directory.path);
    expect(await errorOf(join(beside, "none", "core.sock"))).toContain("no such directory");
    expect(await errorOf(join(beside, "x".repeat(200)))).toContain("EINVAL");
  });
});

describe("a core that stops", () => {
  test("delivers what it has said, and lets go of its frontends", async () => {
    using directory = new SocketDirectory();
    const core = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await frontend.settled();
    await core.matchmaker.broker.drain();
    await core.socket.stop();
    await until(() => poll.outcome !== undefined && !frontend.broker.connected);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    expect(core.socket.frontends).toBe(0);
  });

  test("lets matches in flight end, and leaves new offers to the next, which may be there already", async () => {
    using directory = new SocketDirectory();
    const first = await TestCore.start(directory.path);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    const offer = frontend.offer("o");
    await until(() => poll.outcome?.kind === "matched");
    const waiting = frontend.poll("waiting");
    await frontend.settled();

    first.socket.retire();
    await using second = await TestCore.start(directory.path);
    const late = frontend.offer("late");
    const hungUp = frontend.offer("hangs up");
    await frontend.settled();
    hungUp.hangUp();
    await until(() => hungUp.outcome !== undefined);
    expect(hungUp.outcome).toEqual({ kind: "timed-out" });
    expect(await frontend.answer("p", "a")).toBe("delivered");
    await until(() => offer.outcome !== undefined);
    expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
    expect(late.outcome).toBeUndefined();
    expect(waiting.outcome).toBeUndefined();
    expect(first.load).toEqual({ waitingProxies: 1, clients: 0 });

    await first.socket.stop();
    await until(() => !frontend.broker.connected);
    await frontend.connected();
    await until(() => waiting.outcome !== undefined);
    expect(waiting.outcome).toMatchObject({ kind: "matched", offer: writeDescription("late") });
    expect(await frontend.answer("waiting", "b")).toBe("delivered");
    await until(() => late.outcome !== undefined);
    expect(late.outcome).toEqual({ kind: "answered", answer: writeDescription("b") });
    expect(second.bugs).toEqual([]);
  });

  test("does not wait for a frontend that does not read", async () => {
    using directory = new SocketDirectory();
    const page = Buffer.alloc(4 * 1024 * 1024);
    const core = await TestCore.start(directory.path, { page: async () => page });
    using peer = await RawPeer.connect(directory.path);
    peer.send(helloBytes());
    peer.pause();
    peer.send(frameBytes(PAGE_CALL.kind, 1, PAGE_CALL.request, "page"));
    await until(() => core.socket.frontends === 1);
    let stopped = false;
    const stopping = core.socket.stop().then(() => {
      stopped = true;
    });
    using frontend = new TestFrontend(directory.path);
    await until(() => frontend.reports.length > 0);
    expect(frontend.broker.connected).toBe(false);
    expect(stopped).toBe(false);
    core.clock.advance(1000);
    await stopping;
  });
});
