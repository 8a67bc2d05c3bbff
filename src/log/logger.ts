/** The log: one line an event, as text for people or as JSON for programs, and no address in it. */

import { scrub } from "./scrubber.ts";

/** How bad an event is, from least to worst. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The ways a line can be written. */
export type LogFormat = "text" | "json";

/** Particulars of an event. Nothing that prints itself is admitted: who logs a value decides how it is to read. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/**
 * Takes events. A line has been handed to the sink when the call returns, so that nothing is missing after a crash. No
 * method throws.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** If lines were lost because the sink failed, tries to say how many. */
  flush(): void;
}

export interface LoggerOptions {
  readonly format: LogFormat;
  /** Events below this level are left out. */
  readonly level: LogLevel;
  /** Leaves addresses in. */
  readonly unsafe: boolean;
  /**
   * The sink: is given whole lines, and writes them before it returns or as soon as it can. If it throws, the line is
   * lost; the number of lost lines is logged as soon as it works again.
   */
  readonly write: (chunk: string) => void;
  readonly now: () => Date;
}

/** An event with nothing in it that must not be seen. */
interface CleanEvent {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: ReadonlyArray<readonly [name: string, value: string | number | boolean]>;
}

/** Makes the logger. Text and JSON are both made from the same event, which has been scrubbed text by text. */
export function createLogger(options: LoggerOptions): Logger {
  const { level: threshold, write, now } = options;
  const clean = options.unsafe ? (text: string) => text : scrub;
  const formatEvent = options.format === "json" ? formatJsonEvent : formatTextEvent;
  let lostLines = 0;

  function formatLine(level: LogLevel, message: string, fields: LogFields): string {
    return formatEvent({
      time: now(),
      level,
      message: clean(message),
      fields: Object.entries(fields).map(([name, value]) => [
        clean(name),
        typeof value === "string" ? clean(value) : value,
      ]),
    });
  }

  function put(line: string, lines: number): void {
    const loss =
      lostLines > 0 ? formatLine("error", "log lines were lost", { lines: lostLines }) : "";
    if (loss + line === "") return;
    try {
      write(loss + line);
      lostLines = 0;
    } catch {
      lostLines += lines;
    }
  }

  const log =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(threshold)) return;
      put(formatLine(level, message, fields), 1);
    };

  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    flush: () => put("", 0),
  };
}

const TEXT_LEVELS: Readonly<Record<LogLevel, string>> = {
  debug: "DEBUG ",
  info: "",
  warn: "WARN ",
  error: "ERROR ",
};

/** `2026/08/01 15:37:31 WARN message name=value name="two words"`, the time in UTC. */
function formatTextEvent(event: CleanEvent): string {
  const time = event.time.toISOString().slice(0, 19).replaceAll("-", "/").replace("T", " ");
  let line = `${time} ${TEXT_LEVELS[event.level]}${escapeControls(event.message)}`;
  for (const [name, value] of event.fields)
    line += ` ${formatWord(name)}=${formatWord(String(value))}`;
  return `${line}\n`;
}

/** As it is if it reads as one word, else as a JSON string. */
function formatWord(text: string): string {
  return /^[^\s\p{Cc}"=]+$/u.test(text) ? text : formatJsonString(text);
}

const JSON_MEMBERS = new Set(["time", "level", "msg"]);

/** `{"time":"2026-08-01T15:37:31.042Z","level":"warn","msg":"message","name":"value"}` */
function formatJsonEvent(event: CleanEvent): string {
  const time = event.time.toISOString();
  let line = `{"time":"${time}","level":"${event.level}","msg":${formatJsonString(event.message)}`;
  for (const [name, value] of event.fields) {
    const member = JSON_MEMBERS.has(name) ? `${name}_` : name;
    line += `,${formatJsonString(member)}:${formatJsonValue(value)}`;
  }
  return `${line}}\n`;
}

function formatJsonValue(value: string | number | boolean): string {
  // JSON has no NaN and no infinity.
  const isText =
    typeof value === "string" || (typeof value === "number" && !Number.isFinite(value));
  return isText ? formatJsonString(String(value)) : String(value);
}

/** A JSON string that is safe to print: control characters that JSON would allow are escaped, too. */
function formatJsonString(text: string): string {
  return escapeControls(JSON.stringify(text));
}

const SHORT_ESCAPES = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** Escapes what would break a line in two or talk to a terminal. */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (control) =>
      SHORT_ESCAPES.get(control) ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
