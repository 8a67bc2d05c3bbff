/** `/metrics`: the file of daily reports, as it is on disk. */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { parseByteRange } from "./byte-range.ts";
import {
  corsNotFound,
  corsPartialText,
  corsRangeNotSatisfiable,
  corsText,
  corsTextHead,
} from "./replies.ts";

/** Bytes that are read at a time. */
const PIECE = 64 * 1024;

/**
 * Sends the file, or the one range of it that a GET asks for. The file is opened anew, as an operator may have moved it
 * away. What is appended while it is being sent is left out; if it becomes shorter, the connection breaks off, so that
 * nobody takes a part for the whole. No path, or nothing there that can be opened: status 404.
 */
export async function serveMetricsFile(
  request: Request,
  path: string | undefined,
): Promise<Response> {
  const file = path === undefined ? undefined : await openFile(path);
  if (file === undefined) return corsNotFound();
  const { handle, size } = file;

  if (request.method === "HEAD" || size === 0) {
    await handle.close();
    return request.method === "HEAD" ? corsTextHead(size) : corsText("");
  }
  const wanted = parseByteRange(rangeHeader(request), size);
  switch (wanted.kind) {
    case "whole":
      return corsText(streamPart(handle, 0, size));
    case "part": {
      const { first, last } = wanted;
      return corsPartialText(streamPart(handle, first, last + 1), first, last, size);
    }
    case "unsatisfiable":
      await handle.close();
      return corsRangeNotSatisfiable(size);
  }
}

/** Only GET knows ranges; and no `If-Range` can match a file that has no validators. */
function rangeHeader(request: Request): string | null {
  if (request.method !== "GET" || request.headers.has("if-range")) return null;
  return request.headers.get("range");
}

/** Opens a file and tells its size in bytes; a device, a pipe or a folder has none. Undefined if it can't be opened. */
async function openFile(path: string): Promise<{ handle: FileHandle; size: number } | undefined> {
  let handle: FileHandle;
  try {
    // Opening a pipe must not wait for its other end.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // The peer is told, as of any page that is not there.
    return undefined;
  }
  try {
    const stat = await handle.stat();
    return { handle, size: stat.isFile() ? stat.size : 0 };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Bytes from `start` to before `end`, each piece read when it is asked for. Closes the file in the end. */
function streamPart(handle: FileHandle, start: number, end: number): ReadableStream<Uint8Array> {
  return new ReadableStream(new FilePart(handle, start, end), { highWaterMark: 0 });
}

class FilePart {
  readonly #handle: FileHandle;
  readonly #end: number;
  #position: number;
  #cancelled = false;
  /** The last read, going on or done. */
  #reading: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#position = start;
    this.#end = end;
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#reading = this.#read(controller);
    return this.#reading;
  }

  /** The peer has hung up. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    // A file must not be closed while it is being read: its number may be another file's by then.
    await this.#reading;
    await this.#handle.close();
  }

  async #read(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, this.#end - this.#position));
    try {
      const { bytesRead } = await this.#handle.read(piece, 0, piece.length, this.#position);
      if (this.#cancelled) return;
      if (bytesRead === 0) throw new Error("the file has become shorter");
      this.#position += bytesRead;
      controller.enqueue(piece.subarray(0, bytesRead));
      if (this.#position < this.#end) return;
      controller.close();
    } catch (error) {
      if (this.#cancelled) return;
      controller.error(error);
    }
    await this.#handle.close();
  }
}
