import { describe, expect, test } from "bun:test";
import { linkSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { SocketDirectory, TestCore, TestFrontend } from "./linked.ts";

/** Starts of processes, each round over the socket of the one that was killed last. */
const ROUNDS = 15;

/** Starts a core in a process of its own, which says whether it serves the path. */
function startProcess(path: string) {
  const core = Bun.spawn([process.execPath, join(import.meta.dir, "core-process.ts"), path], {
    stdout: "pipe",
    stderr: "inherit",
    timeout: 10_000,
    killSignal: "SIGKILL",
  });
  const said = core.stdout.getReader().read();
  return {
    said: said.then(({ value }) => new TextDecoder().decode(value).trim()),
    async kill() {
      core.kill("SIGKILL");
      await core.exited;
    },
  };
}

describe("cores that want one socket", () => {
  const STALE = `Bun.listen({ unix: process.argv[1], socket: { data() {} } }); process.kill(process.pid, "SIGKILL");`;

  async function leaveStale(path: string): Promise<void> {
    await Bun.spawn([process.execPath, "-e", STALE, path]).exited;
    expect(statSync(path).isSocket()).toBe(true);
  }

  /** One of them serves the path, and the others say so. */
  async function expectOne(path: string, cores: readonly Promise<TestCore>[]): Promise<void> {
    const results = await Promise.allSettled(cores);
    await using stage = new AsyncDisposableStack();
    for (const it of results) if (it.status === "fulfilled") stage.use(it.value);
    const errors = results.flatMap((it) => (it.status === "rejected" ? [String(it.reason)] : []));
    for (const error of errors) expect(error).toContain("another core is serving it");
    expect(errors).toHaveLength(cores.length - 1);
    using frontend = await TestFrontend.start(path);
    await frontend.settled();
  }

  test("one of those that start together gets it, 200 times, and leaves nothing behind", async () => {
    using directory = new SocketDirectory();
    const { path } = directory;
    await leaveStale(path);
    const stale = `${path}.stale`;
    renameSync(path, stale);
    for (let i = 0; i < 200; i++) {
      // Every other time there is one that nobody serves.
      if (i % 2 === 0) linkSync(stale, path);
      await expectOne(
        path,
        Array.from({ length: 4 }, () => TestCore.start(path)),
      );
      expect(readdirSync(dirname(path))).toEqual(["core.sock.stale"]);
    }
  });

  test("one of those processes that start together gets it", async () => {
    using directory = new SocketDirectory();
    const { path } = directory;
    await leaveStale(path);
    for (let i = 0; i < ROUNDS; i++) {
      const cores = Array.from({ length: 3 }, () => startProcess(path));
      const said = await Promise.all(cores.map((core) => core.said));
      for (const core of cores) await core.kill();
      expect(said.toSorted()).toEqual([
        ...Array.from({ length: 2 }, () => `cannot listen on ${path}: another core is serving it`),
        "ready",
      ]);
      expect(readdirSync(dirname(path))).toEqual(["core.sock"]);
    }
  });

  test("one that stops leaves its successor's", async () => {
    using directory = new SocketDirectory();
    const { path } = directory;
    const first = await TestCore.start(path);
    rmSync(path);
    await using second = await TestCore.start(path);
    await first.socket.stop();
    using frontend = await TestFrontend.start(path);
    await frontend.settled();
    expect(second.socket.frontends).toBe(1);
  });
});
