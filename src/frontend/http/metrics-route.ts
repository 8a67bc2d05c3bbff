/** `/metrics`: the file of daily reports, as it is on disk. */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import type { BodySource, HttpRequest, Reply } from "../../http/message.ts";
import { parseByteRange } from "./byte-range.ts";
import { CORS_NOT_FOUND, corsPartialText, corsRangeNotSatisfiable, corsText } from "./replies.ts";

/** Bytes that are read at a time. */
const PIECE = 64 * 1024;

/**
 * Sends the file, or the one range of it that a GET asks for. The file is opened anew, as an operator may have moved it
 * away. What is appended while it is being sent is left out; if it becomes shorter, the connection breaks off, so that
 * nobody takes a part for the whole. No path, or nothing there that can be opened: status 404.
 */
export async function serveMetricsFile(
  request: HttpRequest,
  path: string | undefined,
): Promise<Reply> {
  const file = path === undefined ? undefined : await openFile(path);
  if (file === undefined) return CORS_NOT_FOUND;
  const { handle, size } = file;

  if (size === 0) {
    await handle.close();
    return corsText(undefined);
  }
  const wanted = parseByteRange(rangeField(request), size);
  switch (wanted.kind) {
    case "whole":
      return corsText(new FilePart(handle, 0, size));
    case "part": {
      const { first, last } = wanted;
      return corsPartialText(new FilePart(handle, first, last + 1), first, last, size);
    }
    case "unsatisfiable":
      await handle.close();
      return corsRangeNotSatisfiable(size);
  }
}

/** Only GET knows ranges; and no `If-Range` can match a file that has no validators. */
function rangeField({ method, fields }: HttpRequest): string | undefined {
  return method === "GET" && !fields.has("if-range") ? fields.get("range") : undefined;
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

/** Bytes from `start` to before `end` of a file that is closed in the end; each piece is read when it is asked for. */
class FilePart implements BodySource {
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #end: number;
  #position: number;

  constructor(handle: FileHandle, start: number, end: number) {
    this.length = end - start;
    this.#handle = handle;
    this.#position = start;
    this.#end = end;
  }

  async read(): Promise<Uint8Array> {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, this.#end - this.#position));
    const { bytesRead } = await this.#handle.read(piece, 0, piece.length, this.#position);
    if (bytesRead === 0) throw new Error("the file has become shorter");
    this.#position += bytesRead;
    return piece.subarray(0, bytesRead);
  }

  close(): void {
    void this.#handle.close();
  }
}
