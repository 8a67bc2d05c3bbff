/** The table of our decoder: static entries, and those that the peer added (RFC 7541 section 2.3). */

import type { Field, FieldNames } from "./field.ts";

/** Bytes of the peer's entries, as HPACK counts: the default of HEADER_TABLE_SIZE. */
export const FIELD_TABLE_BYTES = 4096;

/** The table of one connection. It keeps the values of fields that a handler asks for, and only the sizes of others. */
export class FieldTable {
  readonly names: FieldNames;
  /** The newest last; undefined as long as there was none. */
  #entries: Field[] | undefined = undefined;
  #size = 0;
  #limit = FIELD_TABLE_BYTES;

  constructor(names: FieldNames) {
    this.names = names;
  }

  /** The entry with this index; undefined if there is none. */
  at(index: number): Field | undefined {
    const { statics } = this.names;
    if (index <= statics.length) return statics[index - 1];
    const entries = this.#entries;
    return entries?.[entries.length - (index - statics.length)];
  }

  /** Adds an entry; the oldest make room. One that is larger than the table empties it. */
  add(field: Field): void {
    this.#shrinkTo(this.#limit - field.size);
    if (field.size > this.#limit) return;
    this.#entries ??= [];
    this.#entries.push(field);
    this.#size += field.size;
  }

  /** Applies a table size update. False: it is more than we allow. */
  limitTo(size: number): boolean {
    if (size > FIELD_TABLE_BYTES) return false;
    this.#limit = size;
    this.#shrinkTo(size);
    return true;
  }

  #shrinkTo(size: number): void {
    while (this.#size > 0 && this.#size > size) this.#size -= this.#entries?.shift()?.size ?? 0;
  }
}
