/**
 * A reader of one JSON object, member by member, with the reading rules that Snowflake's peers can observe: every
 * occurrence of a member counts, in order; member names may match in any letter case; integers must be written as
 * integers; a syntax error anywhere outweighs every other error.
 *
 * Errors stick: after a syntax error the reader has no further members, and the caller asks for `error` once, at the
 * end. Nothing is thrown.
 */

/** What a JSON value is, told by its first character. */
export type JsonKind = "string" | "number" | "object" | "array" | "boolean" | "null";

/** The name of a member, and how peers usually write it: with its colon. */
export interface UsualMember {
  readonly name: string;
  readonly written: string;
}

/** Deepest nesting accepted: the limit of the reference implementation. */
const MAX_DEPTH = 10_000;

/** Strings up to this length without an escape are checked character by character, longer ones by `JSON.parse`. */
const SHORT_STRING = 64;

/** A number, as RFC 8259 has it. In a body of nothing else this takes half the time of a loop. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const SMALL_F = 0x66;
const SMALL_N = 0x6e;
const SMALL_T = 0x74;

export class JsonReader {
  readonly #text: string;
  /** Whether a number beyond the range of a double is an error wherever it stands. */
  readonly #finiteNumbers: boolean;
  #position = 0;
  #memberName = "";
  #syntaxError: string | undefined;
  #typeError: string | undefined;

  constructor(text: string, options: { readonly finiteNumbers?: boolean } = {}) {
    this.#text = text;
    this.#finiteNumbers = options.finiteNumbers ?? false;
  }

  /** What is wrong with the text so far, in words fit for a peer, or undefined. */
  get error(): string | undefined {
    return this.#syntaxError ?? this.#typeError;
  }

  /**
   * Enters the object and returns the name of its first member, or undefined if there is none. A text that is `null`
   * counts as an object without members; any other value is a type error. `usual`: the member that usually comes here,
   * whose name then costs a quarter.
   */
  firstMember(usual?: UsualMember): string | undefined {
    this.#skipSpace();
    const kind = this.#peek();
    if (kind === undefined) return undefined;
    if (kind !== "object") {
      if (kind !== "null") this.#typeError = `invalid JSON: expected an object, found ${kind}`;
      this.#skipValue();
      this.#expectEnd();
      return undefined;
    }
    this.#position++;
    this.#skipSpace();
    if (this.#code() === CLOSE_BRACE) {
      this.#position++;
      this.#expectEnd();
      return undefined;
    }
    return this.#name(usual);
  }

  /** After a member's value was read: the name of the next member, or undefined at the end of the object. */
  nextMember(usual?: UsualMember): string | undefined {
    if (this.#syntaxError !== undefined) return undefined;
    this.#skipSpace();
    const code = this.#code();
    if (code === COMMA) {
      this.#position++;
      this.#skipSpace();
      return this.#name(usual);
    }
    if (code !== CLOSE_BRACE) {
      this.#fail();
      return undefined;
    }
    this.#position++;
    this.#expectEnd();
    return undefined;
  }

  /** The member's value if it is a string; `before` if it is null; otherwise a type error and `before`. */
  string<T>(before: T): string | T {
    return this.#stringOr(before, before);
  }

  /**
   * The member's value as it is written, if that is what the pattern matches: sticky, and made so that it only matches
   * valid values. Otherwise undefined, and the value is still to be read.
   */
  literal(pattern: RegExp): string | undefined {
    const start = this.#position;
    pattern.lastIndex = start;
    if (this.#syntaxError !== undefined || !pattern.test(this.#text)) return undefined;
    this.#position = pattern.lastIndex;
    return this.#text.slice(start, this.#position);
  }

  /** As `string`, but null means "absent" and takes back what an earlier occurrence said. */
  nullableString(before: string | null): string | null {
    return this.#stringOr(before, null);
  }

  #stringOr<T>(before: T, ifNull: T): string | T {
    const kind = this.#peek();
    if (kind === "string") return this.#string() ?? before;
    if (kind !== undefined && kind !== "null") this.#expected("a string");
    this.#skipValue();
    return kind === "null" ? ifNull : before;
  }

  /**
   * The member's value if it is an integer of 64 bits written without point or exponent, rounded to the nearest
   * double; `before` if it is null; otherwise a type error and `before`.
   */
  integer(before: number): number {
    const kind = this.#peek();
    const start = this.#position;
    this.#skipValue();
    if (kind === undefined || kind === "null" || this.#syntaxError !== undefined) return before;
    const literal = this.#text.slice(start, this.#position);
    const value = kind === "number" ? parseInt64(literal) : undefined;
    if (value !== undefined) return value;
    this.#expected("an integer of 64 bits");
    return before;
  }

  /** Passes over the member's value and says what it was; undefined if it could not be told. */
  skip(): JsonKind | undefined {
    const kind = this.#peek();
    if (kind !== undefined) this.#skipValue();
    return kind;
  }

  /** The member's value if it is a string, undefined (and no error) if it is anything else. */
  stringOrNothing(): string | undefined {
    if (this.#peek() === "string") return this.#string();
    this.skip();
    return undefined;
  }

  #expected(what: string): void {
    this.#typeError ??= `invalid JSON: member "${this.#memberName}" must be ${what}`;
  }

  #fail(): void {
    this.#syntaxError ??=
      this.#position >= this.#text.length
        ? "invalid JSON: the text ends too early"
        : `invalid JSON: unexpected character at offset ${this.#position}`;
  }

  /** The code unit at the position; NaN at the end of the text. */
  #code(): number {
    return this.#text.charCodeAt(this.#position);
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#code();
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position++;
    }
  }

  #expectEnd(): void {
    if (this.#syntaxError !== undefined) return;
    this.#skipSpace();
    if (this.#position < this.#text.length) this.#fail();
  }

  #name(usual?: UsualMember): string | undefined {
    if (usual !== undefined && this.#text.startsWith(usual.written, this.#position)) {
      this.#position += usual.written.length;
      this.#skipSpace();
      this.#memberName = usual.name;
      return usual.name;
    }
    if (this.#code() !== QUOTE) {
      this.#fail();
      return undefined;
    }
    const name = this.#string();
    if (name === undefined) return undefined;
    this.#skipSpace();
    if (this.#code() !== COLON) {
      this.#fail();
      return undefined;
    }
    this.#position++;
    this.#skipSpace();
    this.#memberName = name;
    return name;
  }

  /** The kind of the value at the position; undefined, and a syntax error, if none begins there. */
  #peek(): JsonKind | undefined {
    if (this.#syntaxError !== undefined) return undefined;
    const code = this.#code();
    switch (code) {
      case QUOTE:
        return "string";
      case OPEN_BRACE:
        return "object";
      case OPEN_BRACKET:
        return "array";
      case SMALL_T:
      case SMALL_F:
        return "boolean";
      case SMALL_N:
        return "null";
      default:
        if (code === MINUS || isDigit(code)) return "number";
        this.#fail();
        return undefined;
    }
  }

  /** Reads the string that begins at the position. */
  #string(): string | undefined {
    const text = this.#text;
    const start = this.#position + 1;
    const end = closingQuote(text, start);
    if (end === -1) {
      this.#position = text.length;
      this.#fail();
      return undefined;
    }
    if (end - start <= SHORT_STRING && isPlain(text, start, end)) {
      this.#position = end + 1;
      return text.slice(start, end);
    }
    const value = unquote(text.slice(start - 1, end + 1));
    if (value === undefined) this.#fail();
    else this.#position = end + 1;
    return value;
  }

  /** Passes over the value at the position, nested to any legal depth, without recursion. */
  #skipValue(): void {
    const first = this.#code();
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      this.#skipScalar();
      return;
    }
    /** The closing code of every array and object that is open. */
    const open: number[] = [];
    for (;;) {
      const code = this.#code();
      if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        if (open.length === MAX_DEPTH) return this.#fail();
        this.#position++;
        this.#skipSpace();
        const close = code === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        if (this.#code() !== close) {
          open.push(close);
          if (code === OPEN_BRACE && this.#name() === undefined) return;
          continue;
        }
        this.#position++;
      } else if (!this.#skipScalar()) {
        return;
      }
      for (;;) {
        const close = open.at(-1);
        if (close === undefined) return;
        this.#skipSpace();
        const next = this.#code();
        if (next === close) {
          this.#position++;
          open.pop();
          continue;
        }
        if (next !== COMMA) return this.#fail();
        this.#position++;
        this.#skipSpace();
        if (close === CLOSE_BRACE && this.#name() === undefined) return;
        break;
      }
    }
  }

  /** Passes over a string, number or literal; false after a syntax error. */
  #skipScalar(): boolean {
    if (this.#syntaxError !== undefined) return false;
    const code = this.#code();
    switch (code) {
      case QUOTE:
        return this.#string() !== undefined;
      case SMALL_T:
        return this.#skipLiteral("true");
      case SMALL_F:
        return this.#skipLiteral("false");
      case SMALL_N:
        return this.#skipLiteral("null");
      default:
        if (code === MINUS || isDigit(code)) return this.#skipNumber();
        this.#fail();
        return false;
    }
  }

  #skipLiteral(literal: string): boolean {
    if (this.#text.startsWith(literal, this.#position)) {
      this.#position += literal.length;
      return true;
    }
    this.#fail();
    return false;
  }

  #skipNumber(): boolean {
    const start = this.#position;
    NUMBER.lastIndex = start;
    if (!NUMBER.test(this.#text)) {
      this.#fail();
      return false;
    }
    this.#position = NUMBER.lastIndex;
    if (this.#finiteNumbers && this.#isInfinite(start)) {
      this.#typeError ??= "invalid JSON: a number is too large";
    }
    return true;
  }

  /** Whether the number from `start` to the position is beyond the range of a double. The shortest is `1e309`. */
  #isInfinite(start: number): boolean {
    if (this.#position - start < 5) return false;
    return !Number.isFinite(Number(this.#text.slice(start, this.#position)));
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Where the string ends whose first character is at `start`: at the first quote that is not escaped; -1 if there is none. */
export function closingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start);
  while (end !== -1 && isEscaped(text, start, end)) end = text.indexOf('"', end + 1);
  return end;
}

/** Whether the quote at `end` is preceded by an odd number of backslashes. */
function isEscaped(text: string, start: number, end: number): boolean {
  let first = end;
  while (first > start && text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (end - first) % 2 === 1;
}

function isPlain(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === BACKSLASH) return false;
  }
  return true;
}

/** The value of a JSON string literal, unpaired surrogates replaced by U+FFFD; undefined if it is not one. */
function unquote(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === "string" ? value.toWellFormed() : undefined;
  } catch {
    return undefined;
  }
}

/** Characters of the longest integer of 64 bits, with its sign. Longer ones would cost the square of their length. */
const LONGEST_INT64 = 20;

function parseInt64(literal: string): number | undefined {
  if (literal.length > LONGEST_INT64) return undefined;
  for (let i = 0; i < literal.length; i++) {
    const code = literal.charCodeAt(i);
    if (!isDigit(code) && code !== MINUS) return undefined;
  }
  const value = Number(literal);
  if (Number.isSafeInteger(value)) return value;
  const exact = BigInt(literal);
  return exact >= INT64_MIN && exact <= INT64_MAX ? value : undefined;
}
