import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import {
  removeAbandoned,
  SocketDirectory,
  socketDirectoryParent,
} from "../../src/roles/socket-directory.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";

let parent: TemporaryDirectory;
let gone: number;

beforeEach(() => {
  parent = temporaryDirectory();
  gone = Bun.spawnSync(["true"]).pid;
});
afterEach(() => parent[Symbol.dispose]());

/** A directory as a broker of that process id makes it. */
function make(pid = gone, unique = "aB3dE6"): string {
  const path = join(parent.path, `snowflake-workers-${pid}-${unique}`);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** A socket where nobody listens any more. */
function putDeadSocket(path: string): void {
  const script = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, 9);`;
  Bun.spawnSync([process.execPath, "-e", script]);
  expect(existsSync(path)).toBe(true);
}

/** What the troubles were. */
async function sweep(): Promise<string[]> {
  const troubles: string[] = [];
  await removeAbandoned(parent.path, (message) => troubles.push(message));
  return troubles;
}

test("is for this user alone, and gone when it is removed", () => {
  const directory = new SocketDirectory(parent.path);
  const [name = ""] = readdirSync(parent.path);
  const path = join(parent.path, name);
  expect(name).toMatch(new RegExp(`^snowflake-workers-${process.pid}-\\w{6}$`));
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(directory.socket).toBe(join(path, "core.sock"));
  writeFileSync(directory.socket, "");
  directory.remove();
  expect(readdirSync(parent.path)).toEqual([]);
  expect(() => new SocketDirectory(join(parent.path, "nowhere"))).toThrow("ENOENT");
});

test("is where the service manager says, else among temporary files", () => {
  const before = process.env["RUNTIME_DIRECTORY"];
  try {
    delete process.env["RUNTIME_DIRECTORY"];
    expect(socketDirectoryParent()).toBe(tmpdir());
    process.env["RUNTIME_DIRECTORY"] = "/run/one:/run/two";
    expect(socketDirectoryParent()).toBe("/run/one");
  } finally {
    if (before === undefined) delete process.env["RUNTIME_DIRECTORY"];
    else process.env["RUNTIME_DIRECTORY"] = before;
  }
});

describe("one that was left behind", () => {
  test("is removed, be it empty or with its socket", async () => {
    make();
    putDeadSocket(join(make(gone, "withSo"), "core.sock"));
    // In a container the next process may have the same id.
    make(process.pid, "ofPast");
    expect(await sweep()).toEqual([]);
    expect(readdirSync(parent.path)).toEqual([]);
  });

  test("is removed once by brokers that start together", async () => {
    for (let i = 0; i < 20; i++) make(gone, `abcd${10 + i}`);
    expect(await Promise.all([sweep(), sweep(), sweep()])).toEqual([[], [], []]);
    expect(readdirSync(parent.path)).toEqual([]);
  });

  test("stays, and is told of, if it holds anything else", async () => {
    const path = make();
    writeFileSync(join(path, "mine"), "");
    expect(await sweep()).toEqual([`${path}: ENOTEMPTY`]);
    expect(readdirSync(path)).toEqual(["mine"]);
  });
});

describe("is not taken for one that was left behind", () => {
  afterEach(async () => {
    const before = readdirSync(parent.path).toSorted();
    expect(before).not.toEqual([]);
    expect(await sweep()).toEqual([]);
    expect(readdirSync(parent.path).toSorted()).toEqual(before);
  });

  test("while its process runs", () => {
    make(process.ppid);
    make(1);
  });

  test("if others may enter it", () => chmodSync(make(), 0o750));

  test("if it is a link", () => {
    const target = join(parent.path, "target");
    mkdirSync(target, { mode: 0o700 });
    writeFileSync(join(target, "core.sock"), "");
    symlinkSync(target, join(parent.path, `snowflake-workers-${gone}-aB3dE6`));
  });

  test("if it is a file", () => {
    writeFileSync(join(parent.path, `snowflake-workers-${gone}-aB3dE6`), "", { mode: 0o700 });
  });

  test("if it has another name", () => {
    for (const name of ["core", `snowflake-workers-${gone}`, "snowflake-workers--aB3dE6"]) {
      mkdirSync(join(parent.path, name), { mode: 0o700 });
    }
    mkdirSync(join(parent.path, `x${basename(`snowflake-workers-${gone}-aB3dE6`)}`));
  });

  test.skipIf(process.getuid?.() !== 0)("if it is another user's", () => {
    chownSync(make(), 65_534, 65_534);
  });
});

test("stays while somebody answers on its socket, whatever the process id", async () => {
  const path = make();
  const listener = Bun.listen({ unix: join(path, "core.sock"), socket: { data() {} } });
  try {
    expect(await sweep()).toEqual([]);
    expect(readdirSync(path)).toEqual(["core.sock"]);
  } finally {
    listener.stop(true);
  }
});

test("a parent that is not there is no trouble of the sweep", async () => {
  parent[Symbol.dispose]();
  expect(await sweep()).toEqual([]);
});
