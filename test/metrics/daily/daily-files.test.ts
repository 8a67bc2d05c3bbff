import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDailyFiles, ReportFile, StateFile } from "../../../src/metrics/daily/daily-files.ts";
import { type JournalHandle } from "../../../src/metrics/distinct/journal-files.ts";
import { untilHolds } from "../../kit/broker-process.ts";

const NOON = new Date("2026-08-01T12:00:00.900Z");

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "daily-files-"));
  path = join(folder, "metrics.log");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function text(file: string): Promise<string> {
  return readFile(file, "utf8");
}

async function mode(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

/** What the rejection says. */
function fault(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "none", String);
}

describe("opening", () => {
  test("creates an empty log that everybody may read, and no state", async () => {
    await openDailyFiles(path);
    expect(await readdir(folder)).toEqual(["metrics.log"]);
    expect(await text(path)).toBe("");
    expect(await mode(path)).toBe(0o644 & ~process.umask());
  });

  test("leaves a log as it is", async () => {
    await writeFile(path, "yesterday\n");
    await openDailyFiles(path);
    expect(await text(path)).toBe("yesterday\n");
  });

  test("fails if there can be no log", async () => {
    expect(await fault(openDailyFiles(join(folder, "missing", "metrics.log")))).toContain("ENOENT");
    expect(await fault(openDailyFiles(folder))).toContain("EISDIR");
  });

  test("puts the state beside the log", async () => {
    const files = await openDailyFiles(path);
    await files.state?.write("{}\n");
    expect((await readdir(folder)).toSorted()).toEqual(["metrics.log", "metrics.log.state"]);
  });

  test("a device has no state, and is only written to", async () => {
    const files = await openDailyFiles("/dev/null");
    expect(files.state).toBeUndefined();
    await files.reports.append("a report\n");
  });

  test("a full device says so", async () => {
    const files = await openDailyFiles("/dev/full");
    expect(await fault(files.reports.append("a report\n"))).toContain("ENOSPC");
  });

  test("without a path there is standard output, and no state", async () => {
    const module = join(import.meta.dir, "../../../src/metrics/daily/daily-files.ts");
    const script = `
      const { openDailyFiles } = await import(${JSON.stringify(module)});
      const { reports, state } = await openDailyFiles(undefined);
      await reports.append("a report\\n");
      await reports.append("another\\n");
      console.error(typeof state);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    expect(await child.stdout.text()).toBe("a report\nanother\n");
    expect(await child.stderr.text()).toBe("undefined\n");
  });
});

test.each(["undefined", '"/dev/stdout"'])(
  "a pipe that is not read refuses reports at once, tears none, and gets them later: %s",
  async (logPath) => {
    const module = join(import.meta.dir, "../../../src/metrics/daily/daily-files.ts");
    // Reports longer than what a pipe takes wholly or not at all.
    const script = `
      const { openDailyFiles } = await import(${JSON.stringify(module)});
      const { reports } = await openDailyFiles(${logPath});
      const report = "x".repeat(4999) + "\\n";
      const append = (text) => reports.append(text).then(() => "taken", String);
      let taken = 0;
      let fault = "";
      while ((fault = await append(report)) === "taken") taken++;
      console.error(taken + " " + fault);
      while ((await append("late\\n")) !== "taken") await Bun.sleep(5);`;
    const pipeline = `"$BUN" -e "$SCRIPT" 2>said | { until [ -e go ]; do sleep 0.01; done; cat >out; }`;
    const shell = Bun.spawn(["setsid", "sh", "-c", pipeline], {
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
      env: { ...process.env, BUN: process.execPath, SCRIPT: script },
    });
    try {
      let said = "";
      await untilHolds("refused", async () => {
        said = await text(join(folder, "said")).catch(() => "");
        return said.endsWith("\n");
      });
      const [, taken, refusal] = /^(\d+) (.*)\n$/.exec(said) ?? [];
      expect(Number(taken)).toBeGreaterThan(10);
      expect(refusal).toBe("Error: its reader does not read");
      await writeFile(join(folder, "go"), "");
      await shell.exited;
      const report = `${"x".repeat(4999)}\n`;
      expect(await text(join(folder, "out"))).toBe(`${report.repeat(Number(taken))}late\n`);
    } finally {
      if (shell.exitCode === null) process.kill(-shell.pid, "SIGKILL");
      await shell.exited;
    }
  },
);

/** An open file on a disk that has room for so many more bytes. */
class FullDisk {
  room = Infinity;
  canTruncate = true;

  async open(file: string): Promise<JournalHandle> {
    const handle = await open(file, "a");
    return {
      stat: () => handle.stat(),
      sync: () => handle.sync(),
      close: () => handle.close(),
      truncate: async (size) => {
        if (!this.canTruncate) throw new Error("EIO");
        await handle.truncate(size);
      },
      appendFile: async (line) => {
        const bytes = Buffer.from(line);
        await handle.appendFile(bytes.subarray(0, this.room));
        if (bytes.length > this.room) throw new Error("ENOSPC");
      },
    };
  }
}

describe("the log", () => {
  let disk: FullDisk;
  let log: ReportFile;

  beforeEach(() => {
    disk = new FullDisk();
    log = new ReportFile(path, (file) => disk.open(file));
  });

  test("is appended to", async () => {
    await log.append("one\n");
    await log.append("two\n");
    expect(await text(path)).toBe("one\ntwo\n");
  });

  test("is created anew if it was moved away", async () => {
    await log.append("one\n");
    await rename(path, `${path}.1`);
    await log.append("two\n");
    expect(await text(path)).toBe("two\n");
  });

  test("goes on where it was truncated", async () => {
    await log.append("one\n");
    await truncate(path, 0);
    await log.append("two\n");
    expect(await text(path)).toBe("two\n");
  });

  test("a report that is there is not repeated, nor one of several", async () => {
    await writeFile(path, "one\ntwo\n");
    await log.append("two\n");
    expect(await text(path)).toBe("one\ntwo\n");
    await log.append("two\nthree\n");
    expect(await text(path)).toBe("one\ntwo\nthree\n");
  });

  test("a torn report is replaced, wherever it was torn", async () => {
    const report = "snowflake-ips é=1\nsnowflake-ips-total 1\n";
    const bytes = Buffer.from(report);
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(path, Buffer.concat([Buffer.from("before\n"), bytes.subarray(0, length)]));
      await log.append(report);
      expect(await text(path)).toBe(`before\n${report}`);
    }
  });

  test("a full disk leaves no part of a report, and gets it when there is room", async () => {
    await log.append("one\n");
    for (disk.room = 0; disk.room < 4; disk.room++) {
      expect(await fault(log.append("two\n"))).toBe("Error: ENOSPC");
      expect(await text(path)).toBe("one\n");
    }
    await log.append("two\n");
    expect(await text(path)).toBe("one\ntwo\n");
  });

  test("what can't be taken off at once is taken off later", async () => {
    await log.append("one\n");
    disk.room = 2;
    disk.canTruncate = false;
    expect(await fault(log.append("two\n"))).toContain("Error");
    expect(await text(path)).toBe("one\ntw");
    expect(await fault(log.append("two\n"))).toContain("Error");
    disk.room = Infinity;
    disk.canTruncate = true;
    await log.append("two\n");
    expect(await text(path)).toBe("one\ntwo\n");
  });

  test("no file stays open", async () => {
    const before = (await readdir("/proc/self/fd")).length;
    disk.room = 2;
    for (let i = 0; i < 20; i++) await fault(log.append("two\n"));
    disk.room = Infinity;
    for (let i = 0; i < 20; i++) await log.append(`${i}\n`);
    expect((await readdir("/proc/self/fd")).length).toBeLessThan(before + 5);
  });
});

describe("the state", () => {
  let statePath: string;
  let state: StateFile;

  beforeEach(() => {
    statePath = `${path}.state`;
    state = new StateFile(statePath);
  });

  test("is nothing at first, then what was written last", async () => {
    expect(await state.read()).toBeUndefined();
    await state.write("one\n");
    await state.write("2\n");
    expect(await state.read()).toBe("2\n");
    expect(await readdir(folder)).toEqual(["metrics.log.state"]);
  });

  test("is for nobody else", async () => {
    await state.write("one\n");
    expect(await mode(statePath)).toBe(0o600);
    await chmod(statePath, 0o644);
    await writeFile(`${statePath}.tmp`, "left behind", { mode: 0o666 });
    await state.write("two\n");
    expect(await mode(statePath)).toBe(0o600);
  });

  test("is what it was when a crash left half of the next", async () => {
    await state.write("one\n");
    await writeFile(`${statePath}.tmp`, "tw");
    expect(await state.read()).toBe("one\n");
    await state.write("two\n");
    expect(await state.read()).toBe("two\n");
    expect(await readdir(folder)).toEqual(["metrics.log.state"]);
  });

  test("is not written through a link", async () => {
    const elsewhere = join(folder, "elsewhere");
    await writeFile(elsewhere, "precious");
    await symlink(elsewhere, `${statePath}.tmp`);
    await state.write("one\n");
    expect(await text(elsewhere)).toBe("precious");
    expect(await state.read()).toBe("one\n");
  });

  test("fails to be written where there is no folder", async () => {
    const lost = new StateFile(join(folder, "missing", "state"));
    expect(await fault(lost.write("one\n"))).toContain("ENOENT");
  });

  test("fails to be read if it is no file, or too large", async () => {
    await mkdir(statePath);
    expect(await fault(state.read())).toContain("not a regular file");
    await rm(statePath, { recursive: true });
    await writeFile(statePath, "");
    await truncate(statePath, 5_000_000);
    expect(await fault(state.read())).toContain("over 4194304 bytes");
  });

  test("is set aside in place of the one before, and nothing else goes", async () => {
    const others = [
      "metrics.log",
      "metrics.log.state.bad-mine",
      "other.state.bad-20260801T120000Z",
    ];
    for (const other of others) await writeFile(join(folder, other), "");
    await writeFile(statePath, "one");
    expect(await state.setAside(new Date(NOON.getTime() - 5000))).toBe(
      `${statePath}.bad-20260801T115955Z`,
    );
    await writeFile(statePath, "two");
    const aside = await state.setAside(NOON);
    expect(aside).toBe(`${statePath}.bad-20260801T120000Z`);
    expect(await text(aside)).toBe("two");
    expect((await readdir(folder)).toSorted()).toEqual(
      [...others, "metrics.log.state.bad-20260801T120000Z"].toSorted(),
    );
  });

  test("fails to be set aside if it is not there", async () => {
    expect(await fault(state.setAside(NOON))).toContain("ENOENT");
  });
});
