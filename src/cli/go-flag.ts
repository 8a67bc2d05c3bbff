/**
 * Command lines in the syntax of Go's `flag` package, so that an existing unit file starts this program unchanged:
 * `-name` is `--name`, values follow `=` or are the next argument, a boolean's value only follows `=`, the last
 * occurrence wins, and the first argument that is no flag ends the flags.
 */

import { nearestWord } from "./nearest-word.ts";

/** What became of a flag's text; `fault` goes on from "the value ...", as in "must be an integer". */
export type ParsedFlag<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

/** How a kind of value is written on the command line. */
export interface FlagType<T> {
  readonly name: "string" | "bool" | "int" | "duration";
  readonly parse: (text: string) => ParsedFlag<T>;
  /** Writes a value so that `parse` gives it back. */
  readonly format: (value: T) => string;
}

/** One flag as the parser sees it: a name, and a place that takes the text given for it. */
export interface GoFlag {
  readonly name: string;
  /** A boolean stands alone; every other flag needs a value. */
  readonly isBoolean: boolean;
  /** Takes a text given for the flag, "true" for a boolean that stands alone; returns the fault if it is refused. */
  set(text: string): string | undefined;
}

export type GoFlagOutcome =
  /** Every flag was set. `positional`: what came after them, which Go ignores without a word. */
  | { readonly kind: "parsed"; readonly positional: readonly string[] }
  /** `-h` or `-help` came first; the arguments after it were not looked at. */
  | { readonly kind: "help" }
  | { readonly kind: "error"; readonly message: string };

/** Sets the flags that the arguments name, in their order, up to the first error. */
export function parseGoFlags(args: readonly string[], flags: Iterable<GoFlag>): GoFlagOutcome {
  const byName = new Map<string, GoFlag>();
  for (const flag of flags) byName.set(flag.name, flag);

  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return { kind: "parsed", positional: args.slice(i + 1) };
    if (arg === "-" || !arg.startsWith("-")) return { kind: "parsed", positional: args.slice(i) };

    const body = arg.slice(arg.startsWith("--") ? 2 : 1);
    if (body.startsWith("-") || body.startsWith("=")) {
      return { kind: "error", message: `${quote(arg)} is not a flag` };
    }
    const equals = body.indexOf("=");
    const name = equals === -1 ? body : body.slice(0, equals);
    const flag = byName.get(name);
    if (flag === undefined) {
      if (name === "help" || name === "h") return { kind: "help" };
      const meant = nearestWord(name, byName.keys());
      const question = meant === undefined ? "" : `: did you mean --${meant}?`;
      return { kind: "error", message: `unknown flag ${quote(`--${name}`)}${question}` };
    }
    let text = equals === -1 ? undefined : body.slice(equals + 1);
    if (text === undefined) {
      text = flag.isBoolean ? "true" : args[++i];
      if (text === undefined) return { kind: "error", message: `--${name} needs a value` };
    }
    const fault = flag.set(text);
    if (fault !== undefined) {
      return { kind: "error", message: `invalid value ${quote(text)} for --${name}: it ${fault}` };
    }
  }
  return { kind: "parsed", positional: [] };
}

/** An argument as an error message shows it: on one line, and not for ever. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

export const STRING: FlagType<string> = {
  name: "string",
  parse: (text) => ({ ok: true, value: text }),
  format: (value) => value,
};

const BOOLEANS = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

export const BOOL: FlagType<boolean> = {
  name: "bool",
  parse(text) {
    const value = BOOLEANS.get(text);
    return value === undefined
      ? { ok: false, fault: "must be true or false" }
      : { ok: true, value };
  },
  format: String,
};

/** An integer of 64 bits. Beyond 2^53 the nearest integer that a double holds exactly stands for it. */
export const INT: FlagType<number> = { name: "int", parse: parseInteger, format: String };

/** An integer from `minimum` on. */
export function intAtLeast(minimum: number): FlagType<number> {
  return {
    ...INT,
    parse(text) {
      const parsed = parseInteger(text);
      if (!parsed.ok || parsed.value >= minimum) return parsed;
      return { ok: false, fault: `must be at least ${minimum}` };
    },
  };
}

/** An integer from `minimum` to `maximum`. */
export function intBetween(minimum: number, maximum: number): FlagType<number> {
  return {
    ...INT,
    parse(text) {
      const parsed = parseInteger(text);
      if (!parsed.ok || (parsed.value >= minimum && parsed.value <= maximum)) return parsed;
      return { ok: false, fault: `must be from ${minimum} to ${maximum}` };
    },
  };
}

/** How many workers: an integer from 0 to 1000, or `auto`. */
export const WORKERS: FlagType<number | "auto"> = {
  name: "string",
  parse(text) {
    if (text === "auto") return { ok: true, value: "auto" };
    const parsed = parseInteger(text);
    const isCount = parsed.ok && parsed.value >= 0 && parsed.value <= 1000;
    return isCount ? parsed : { ok: false, fault: "must be auto, or an integer from 0 to 1000" };
  },
  format: String,
};

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): FlagType<T> {
  return {
    name: "string",
    parse(text) {
      const value = words.find((word) => word === text);
      if (value !== undefined) return { ok: true, value };
      return { ok: false, fault: `must be one of ${words.join(", ")}` };
    },
    format: String,
  };
}

/** A length of time, in milliseconds; the text is exact to the nanosecond. */
export const DURATION: FlagType<number> = {
  name: "duration",
  parse: parseDuration,
  format: formatDuration,
};

/** A length of time from `least` to `most` ms; a multiple of `step` ms, if one is given. */
export function durationBetween(least: number, most: number, step?: number): FlagType<number> {
  const range = `${formatDuration(least)} to ${formatDuration(most)}`;
  const steps = step === undefined ? "" : `, in steps of ${formatDuration(step)}`;
  return {
    ...DURATION,
    parse(text) {
      const parsed = parseDuration(text);
      if (!parsed.ok) return parsed;
      const isInRange = parsed.value >= least && parsed.value <= most;
      if (isInRange && (step === undefined || parsed.value % step === 0)) return parsed;
      return { ok: false, fault: `must be from ${range}${steps}` };
    },
  };
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A leading zero means octal; an underscore stands between digits, or between a prefix and a digit. */
const INTEGER =
  /^([+-]?)(0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;

function parseInteger(text: string): ParsedFlag<number> {
  const [, sign, literal] = INTEGER.exec(text) ?? [];
  if (literal === undefined) return { ok: false, fault: "must be an integer" };
  const digits = literal.replaceAll("_", "");
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value < INT64_MIN || value > INT64_MAX) return { ok: false, fault: "must fit in 64 bits" };
  const { MIN_SAFE_INTEGER, MAX_SAFE_INTEGER } = Number;
  return { ok: true, value: Math.max(MIN_SAFE_INTEGER, Math.min(MAX_SAFE_INTEGER, Number(value))) };
}

const NS_PER_MS = 1e6;

/** Nanoseconds in each unit; both signs for micro that keyboards have. */
const UNITS = new Map([
  ["ns", 1],
  ["us", 1e3],
  ["\u00b5s", 1e3],
  ["\u03bcs", 1e3],
  ["ms", NS_PER_MS],
  ["s", 1e9],
  ["m", 60e9],
  ["h", 3600e9],
]);

const NOT_A_DURATION = {
  ok: false,
  fault: "must be a duration with units, such as 1h30m or 500ms",
} as const;

function parseDuration(text: string): ParsedFlag<number> {
  const negative = text.startsWith("-");
  const unsigned = negative || text.startsWith("+") ? text.slice(1) : text;
  if (unsigned === "0") return { ok: true, value: 0 };
  if (unsigned === "") return NOT_A_DURATION;

  const term = /([0-9]*)(?:\.([0-9]*))?([^.0-9]+)/y;
  let ns = 0n;
  while (term.lastIndex < unsigned.length) {
    // A failed match sets lastIndex back to 0, but ends the loop too.
    const [, whole = "", fraction = "", unitName = ""] = term.exec(unsigned) ?? [];
    const unit = UNITS.get(unitName);
    if (unit === undefined || (whole === "" && fraction === "")) return NOT_A_DURATION;
    ns += BigInt(whole) * BigInt(unit) + fractionNs(fraction, unit);
  }
  // One more nanosecond fits in below zero than above.
  if (ns > (negative ? -INT64_MIN : INT64_MAX)) {
    return { ok: false, fault: "must be less than 292 years" };
  }
  const ms = Number(ns) / NS_PER_MS;
  return { ok: true, value: negative && ms !== 0 ? -ms : ms };
}

/**
 * So many tenths, hundredths, ... of a unit, cut to whole nanoseconds. Go cuts in floating point, and reads no more
 * digits than an int64 holds; so does this, that the last nanosecond be the same.
 */
function fractionNs(digits: string, unit: number): bigint {
  const significant = digits.replace(/^0+/, "");
  const fits = BigInt(significant.slice(0, 19)) <= INT64_MAX + 1n;
  const read = significant.slice(0, fits ? 19 : 18);
  let scale = 1;
  for (let i = digits.length - significant.length + read.length; i > 0; i--) scale *= 10;
  return BigInt(Math.trunc(Number(read) * (unit / scale)));
}

/** Writes milliseconds as hours, minutes and seconds: `1h0m0s`, `-2m0s`, `0.5s`. Exact to the nanosecond below 49 days. */
function formatDuration(ms: number): string {
  const ns = BigInt(Math.round(Math.abs(ms) * NS_PER_MS));
  const seconds = ns / 1_000_000_000n;
  const rest = (ns % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  const hours = seconds / 3600n;
  const minutes = seconds / 60n;
  let text = `${seconds % 60n}${rest === "" ? "" : `.${rest}`}s`;
  if (minutes > 0n) text = `${minutes % 60n}m${text}`;
  if (hours > 0n) text = `${hours}h${text}`;
  return ms < 0 ? `-${text}` : text;
}
