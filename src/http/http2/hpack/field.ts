/** Header fields of requests: their names, what these mean, and which bytes are allowed in them. */

import { STATIC_TABLE } from "./static-table.ts";

/** What a field means for its request. */
export type FieldKind =
  | "method"
  | "scheme"
  | "path"
  | "authority"
  | "host"
  | "content-length"
  | "te"
  | "expect"
  | "plain"
  /** Not allowed in requests, or not a valid name. */
  | "forbidden";

/** A name of fields. */
export interface FieldName {
  readonly kind: FieldKind;
  /** The name in `HttpRequest.fields`. Empty if the value is not needed. */
  readonly text: string;
  /** Whether handlers ask for it. */
  readonly wanted: boolean;
  /** The bytes that are allowed in a value have a 1 at their index. */
  readonly chars: Uint8Array;
  /** Bytes of the name as it was sent. */
  readonly length: number;
}

/** A field as it was decoded. */
export interface Field {
  readonly name: FieldName;
  /** One character for each byte. Empty if it is not needed. */
  readonly value: string;
  /** Whether HTTP allows the name and the value in a request. */
  readonly valid: boolean;
  /** Bytes of name and value, and `FIELD_OVERHEAD` (RFC 7541 section 4.1). */
  readonly size: number;
}

/** Bytes that HPACK adds to the size of every field. */
export const FIELD_OVERHEAD = 32;

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGIT = "0123456789";
const VISIBLE = range(0x21, 0x7e) + range(0x80, 0xff);

const NAME_CHARS = charTable(`!#$%&'*+-.^_\`|~${DIGIT}${LOWER}`);
const TOKEN_CHARS = charTable(`!#$%&'*+-.^_\`|~${DIGIT}${LOWER}${UPPER}`);
const VALUE_CHARS = charTable(` \t${VISIBLE}`);
/** Without `@`: a user name is not allowed. */
const AUTHORITY_CHARS = charTable(`-._~!$&'()*+,;=:%[]${DIGIT}${LOWER}${UPPER}`);
const DIGIT_CHARS = charTable(DIGIT);

/** Names with a meaning of their own. All others are `plain`. */
const SPECIAL: Readonly<Record<string, readonly [kind: FieldKind, chars: Uint8Array]>> = {
  ":method": ["method", TOKEN_CHARS],
  ":scheme": ["scheme", VALUE_CHARS],
  ":path": ["path", charTable(VISIBLE)],
  ":authority": ["authority", AUTHORITY_CHARS],
  ":status": ["forbidden", VALUE_CHARS],
  host: ["host", AUTHORITY_CHARS],
  "content-length": ["content-length", DIGIT_CHARS],
  te: ["te", VALUE_CHARS],
  expect: ["expect", VALUE_CHARS],
  // These belong to connections of HTTP/1.1 (RFC 9113 section 8.2.2).
  connection: ["forbidden", VALUE_CHARS],
  "keep-alive": ["forbidden", VALUE_CHARS],
  "proxy-connection": ["forbidden", VALUE_CHARS],
  "transfer-encoding": ["forbidden", VALUE_CHARS],
  upgrade: ["forbidden", VALUE_CHARS],
};

/** Unneeded names up to this length share one object for each length. */
const SHARED_LENGTHS = 64;

/** Unneeded fields with such names, up to this size, share one object for each size: 3 MB if a peer sends them all. */
const SHARED_SIZES = 512;

const ignoredFields = new Map<number, Field>();
const ignoredNames: FieldName[] = [];
for (let length = 0; length <= SHARED_LENGTHS; length++) ignoredNames.push(ignoredName(length));

/** What is known about names. All connections of a server share it. */
export class FieldNames {
  readonly #known = new Map<string, FieldName>();
  /** The static table. The entry with index 1 comes first. */
  readonly statics: readonly Field[];

  /** `wanted`: the names, in lower case, of the fields that handlers ask for. */
  constructor(wanted: ReadonlySet<string>) {
    for (const [name, [kind, chars]] of Object.entries(SPECIAL)) {
      // `:authority` is what Host is in HTTP/1.1, so handlers get it as `host`.
      const text = kind === "authority" ? "host" : name;
      const given = wanted.has(text);
      this.#known.set(name, { kind, text, wanted: given, chars, length: name.length });
    }
    for (const text of wanted) {
      if (this.#known.has(text)) continue;
      const name = { text, wanted: true, chars: VALUE_CHARS, length: text.length };
      this.#known.set(text, { kind: "plain", ...name });
    }
    this.statics = STATIC_TABLE.map(([text, value]) => {
      const name = this.#known.get(text) ?? ignored(text.length);
      const size = text.length + value.length + FIELD_OVERHEAD;
      return { name, value, valid: name.kind !== "forbidden", size };
    });
  }

  /** The name in the bytes from `start` up to `end`. */
  read(bytes: Buffer, start: number, end: number): FieldName {
    const text = bytes.toString("latin1", start, end);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const valid = start < end && consistsOf(NAME_CHARS, bytes, start, end);
    return valid ? ignored(end - start) : forbidden(end - start);
  }
}

const names = new WeakMap<ReadonlySet<string>, FieldNames>();

/** What is known about names when handlers ask for these. Made once for each set, and kept. */
export function namesFor(wanted: ReadonlySet<string>): FieldNames {
  const before = names.get(wanted) ?? new FieldNames(wanted);
  names.set(wanted, before);
  return before;
}

/** The field with this name and the value in the bytes from `start` up to `end`. */
export function readField(name: FieldName, bytes: Buffer, start: number, end: number): Field {
  const valid =
    name.kind !== "forbidden" &&
    consistsOf(name.chars, bytes, start, end) &&
    !padded(bytes, start, end);
  const size = name.length + end - start + FIELD_OVERHEAD;
  if (valid && name.text === "") return ignoredField(name, size);
  return { name, value: valid ? bytes.toString("latin1", start, end) : "", valid, size };
}

/** A field whose value is not needed. Those of equal lengths share one object, since tables are full of them. */
function ignoredField(name: FieldName, size: number): Field {
  if (name.length > SHARED_LENGTHS || size > SHARED_SIZES) {
    return { name, value: "", valid: true, size };
  }
  const key = name.length * (SHARED_SIZES + 1) + size;
  const before = ignoredFields.get(key);
  if (before !== undefined) return before;
  const field = { name, value: "", valid: true, size };
  ignoredFields.set(key, field);
  return field;
}

function consistsOf(chars: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (chars[bytes[at] ?? 0] !== 1) return false;
  return true;
}

/** Whether it begins or ends with white space. */
function padded(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && (isSpace(bytes[start]) || isSpace(bytes[end - 1]));
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function ignored(length: number): FieldName {
  return ignoredNames[length] ?? ignoredName(length);
}

function ignoredName(length: number): FieldName {
  return { kind: "plain", text: "", wanted: false, chars: VALUE_CHARS, length };
}

function forbidden(length: number): FieldName {
  return { kind: "forbidden", text: "", wanted: false, chars: VALUE_CHARS, length };
}

function range(first: number, last: number): string {
  let text = "";
  for (let code = first; code <= last; code++) text += String.fromCharCode(code);
  return text;
}

function charTable(chars: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let at = 0; at < chars.length; at++) table[chars.charCodeAt(at)] = 1;
  return table;
}
