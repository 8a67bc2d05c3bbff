/** Reports and state as files: the one place where the daily log touches the disk. */

import { constants } from "node:fs";
import { type FileHandle, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { OutputWriter } from "../../system/output-writer.ts";
import { systemClock } from "../../system/system-clock.ts";
import { openOutput, openStandardOutput, type WriteAtOnce } from "../../system/unblocked-output.ts";
import { JournalFile, type JournalHandle } from "../distinct/journal-files.ts";
import type { ReportSink, StateStore } from "./daily-log.ts";

/** Of the log: readable by everybody, less what the process's mask takes away. */
const LOG_MODE = 0o644;

/** Of the state, in which counts are exact. */
const STATE_MODE = 0o600;

/** A larger state, in bytes, is foreign and not read. */
const MAX_STATE_SIZE = 4 * 1024 * 1024;

/** What follows the path of a state that was set aside. */
const BAD_SUFFIX = /^\.bad-\d{8}T\d{6}Z$/;

/** Where the daily log keeps what. */
export interface DailyFiles {
  readonly reports: ReportSink;
  /** Undefined: nowhere. */
  readonly state: StateStore | undefined;
}

/**
 * Creates the log if it is not there, and rejects if it can't be written to. The state is in `PATH.state`, beside it.
 * Without a path reports go to standard output; then, and if the path is a device, a pipe or below /dev or /proc, there
 * is no state.
 */
export async function openDailyFiles(path: string | undefined): Promise<DailyFiles> {
  if (path === undefined) {
    return { reports: new ReportOutput(openStandardOutput(1)), state: undefined };
  }
  const log = await openLog(path);
  try {
    if (!(await log.stat()).isFile()) {
      return { reports: new ReportOutput(openOutput(path)), state: undefined };
    }
  } finally {
    await log.close();
  }
  const reports = new ReportFile(path, openLog);
  // What stands there are names for what is open elsewhere, such as /dev/stdout.
  const folder = await realpath(dirname(path));
  const isOfSystem = /^\/(dev|proc)(\/|$)/.test(folder);
  return { reports, state: isOfSystem ? undefined : new StateFile(`${path}.state`) };
}

/** An output that can't be read back. A report that it does not take is refused: the daily log keeps it. */
class ReportOutput implements ReportSink {
  readonly #output: OutputWriter;

  constructor(writeAtOnce: WriteAtOnce) {
    this.#output = new OutputWriter({ writeAtOnce, room: 0, clock: systemClock });
  }

  async append(text: string): Promise<void> {
    this.#output.write(text);
  }
}

function openLog(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NONBLOCK } = constants;
  // A pipe that nobody reads is an error and not waited for.
  return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, LOG_MODE);
}

/** The log. It is opened anew each time, as an operator may have moved it away. */
export class ReportFile implements ReportSink {
  readonly #path: string;
  readonly #openLog: (path: string) => Promise<JournalHandle>;

  constructor(path: string, openForAppending: (path: string) => Promise<JournalHandle>) {
    this.#path = path;
    this.#openLog = openForAppending;
  }

  async append(text: string): Promise<void> {
    const log = await this.#openLog(this.#path);
    const journal = new JournalFile(log);
    try {
      const bytes = Buffer.from(text);
      const { size } = await log.stat();
      const present = overlap(await readEnd(this.#path, size, bytes.length), bytes);
      if (present === bytes.length) return;
      if (present > 0) await log.truncate(size - present);
      await journal.append(text);
    } finally {
      // Takes off what a failed append left behind.
      await journal.close();
    }
  }
}

/** How many bytes at the end of `before` are the beginning of `after`. */
function overlap(before: Buffer, after: Buffer): number {
  let length = Math.min(before.length, after.length);
  while (!before.subarray(before.length - length).equals(after.subarray(0, length))) length--;
  return length;
}

/** The last bytes of a file; none if it may be written but not read. */
async function readEnd(path: string, size: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(size, length));
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (hasCode(error, "EACCES")) return Buffer.alloc(0);
    throw error;
  }
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The state, as a file that is replaced as a whole. */
export class StateFile implements StateStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<string | undefined> {
    let file: FileHandle;
    try {
      // Opening a pipe must not wait for its other end.
      file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    }
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error("not a regular file");
      if (stat.size > MAX_STATE_SIZE) throw new RangeError(`over ${MAX_STATE_SIZE} bytes`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  }

  async write(text: string): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    // Made anew: nobody else has it open, and it is no link to elsewhere.
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", STATE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    await syncFolder(dirname(this.#path));
  }

  async setAside(time: Date): Promise<string> {
    const folder = dirname(this.#path);
    const name = basename(this.#path);
    for (const other of await readdir(folder)) {
      if (other.startsWith(name) && BAD_SUFFIX.test(other.slice(name.length))) {
        await rm(join(folder, other), { recursive: true });
      }
    }
    const stamp = time.toISOString().slice(0, 19).replace(/[-:]/g, "");
    const aside = `${this.#path}.bad-${stamp}Z`;
    await rename(this.#path, aside);
    return aside;
  }
}

/** Makes a rename last. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
