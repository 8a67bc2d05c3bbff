/** Journals as files: the one place where counting touches the disk. */

import { createReadStream } from "node:fs";
import { constants, open } from "node:fs/promises";

import { ADDRESS_SETS, type AddressSet } from "./address-set.ts";
import type { Journals } from "./distinct-addresses.ts";
import type { LocalClock } from "./local-clock.ts";
import { formatRfc3339Seconds } from "./rfc3339.ts";

/** Readable by everybody, less what the process's mask takes away. */
const MODE = 0o644;

/** Lines are appended to whatever the file has become: an operator may truncate or rotate it in place. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

/** Bytes that are read at a time. */
const READ_SIZE = 256 * 1024;

/** What a journal needs of an open file. Every method rejects if it fails. */
export interface JournalHandle {
  stat(): Promise<{ readonly size: number }>;
  appendFile(text: string): Promise<void>;
  /** Flushes to disk. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** A journal of whole lines, which takes off again what a failed append left behind. */
export class JournalFile {
  readonly #handle: JournalHandle;
  /** Size in bytes without the torn line that a failed append left behind; undefined if there is none. */
  #soundSize: number | undefined;

  constructor(handle: JournalHandle) {
    this.#handle = handle;
  }

  /** Appends a line and flushes it. One call at a time. */
  async append(line: string): Promise<void> {
    const size = await this.#mend();
    // Until the line is on disk it counts as torn.
    this.#soundSize = size;
    await this.#handle.appendFile(line);
    await this.#handle.sync();
    this.#soundSize = undefined;
  }

  /** Rejects if a torn line could not be taken off; the file is closed all the same. */
  async close(): Promise<void> {
    try {
      await this.#mend();
    } finally {
      await this.#handle.close();
    }
  }

  /** Takes off a torn line, and returns the size in bytes. */
  async #mend(): Promise<number> {
    const { size } = await this.#handle.stat();
    if (this.#soundSize === undefined || size <= this.#soundSize) return size;
    await this.#handle.truncate(this.#soundSize);
    return this.#soundSize;
  }
}

/** The seven files of one run. */
export class JournalFiles implements Journals {
  readonly #files: ReadonlyMap<AddressSet, JournalFile>;

  private constructor(files: ReadonlyMap<AddressSet, JournalFile>) {
    this.#files = files;
  }

  /**
   * Creates `PREFIX-SET-TIME.log` for each set, with the local time of each one's creation; a file that exists is
   * truncated. Rejects, with no file left open, if one can't be created.
   */
  static async create(prefix: string, clock: LocalClock): Promise<JournalFiles> {
    const files = new Map<AddressSet, JournalFile>();
    try {
      for (const set of ADDRESS_SETS) {
        const now = clock.now();
        const time = formatRfc3339Seconds(now, clock.offsetAt(now));
        files.set(set, new JournalFile(await open(`${prefix}-${set}-${time}.log`, FLAGS, MODE)));
      }
    } catch (error) {
      for (const file of files.values()) await file.close();
      throw error;
    }
    return new JournalFiles(files);
  }

  async append(set: AddressSet, line: string): Promise<void> {
    const file = this.#files.get(set);
    if (file === undefined) throw new Error(`no journal for the set ${set}`);
    await file.append(line);
  }

  /** Closes all files. Rejects with the first error, after having tried all of them. */
  async close(): Promise<void> {
    const results = await Promise.allSettled([...this.#files.values()].map((file) => file.close()));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }
}

/** The bytes of a file, piece by piece. Fails while being read if the file can't be. */
export function readJournal(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file, { highWaterMark: READ_SIZE });
}
