/** How values become payloads, and payloads become values that can't be wrong. */

import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** One kind of value on the wire. */
export interface Codec<T> {
  readonly write: (to: ByteWriter, value: T) => void;
  /** Undefined if it is not such a value; neither is it one if the reader is not complete afterwards. */
  readonly read: (from: ByteReader) => T | undefined;
}

/** A request and its outcome, which travel under one kind and one id. */
export interface Call<Request, Outcome> {
  readonly kind: number;
  readonly request: Codec<Request>;
  readonly outcome: Codec<Outcome>;
}

/** Reads a payload that is one value and nothing more. */
export function decodePayload<T>(codec: Codec<T>, payload: ByteReader): T | undefined {
  const value = codec.read(payload);
  return payload.isComplete ? value : undefined;
}

/** For frames that say everything by their kind. */
export const NO_PAYLOAD: Codec<null> = { write() {}, read: () => null };

/** A payload that is one text. */
export const TEXT: Codec<string> = {
  write: (to, text) => to.text(text),
  read: (from) => from.text(),
};
