import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";

import { createLogger } from "../../src/log/logger.ts";
import { logProcessErrors } from "../../src/log/process-errors.ts";

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

function wire() {
  const lines: string[] = [];
  const logger = createLogger({
    format: "text",
    level: "info",
    unsafe: false,
    write: (chunk) => lines.push(chunk),
    now: () => new Date(0),
  });
  const process = new FakeProcess();
  process.on("warning", () => lines.push("the runtime's own"));
  logProcessErrors(process, logger);
  return { lines, process };
}

const PREFIX = "1970/01/01 00:00:00";

describe("in this process", () => {
  test.each([
    ["uncaughtException", "uncaught exception"],
    ["unhandledRejection", "unhandled rejection"],
  ])("%s is logged on one line and ends the process", (event, message) => {
    const { lines, process } = wire();
    process.emit(event, new TypeError("dial 192.0.2.1:80: refused"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toStartWith(
      `${PREFIX} ERROR ${message} error="TypeError: dial [scrubbed]: refused\\n`,
    );
    expect(lines[0]).toContain("process-errors.test.ts");
    expect(lines[0]?.indexOf("\n")).toBe((lines[0]?.length ?? 0) - 1);
    expect(process.exits).toEqual([1]);
  });

  test("a warning is logged instead of printed, and the process lives", () => {
    const { lines, process } = wire();
    process.emit("warning", new Error("from 192.0.2.1"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toStartWith(`${PREFIX} WARN runtime warning error="Error: from [scrubbed]`);
    expect(process.exits).toEqual([]);
  });

  test("the errors behind an error are told", () => {
    const { lines, process } = wire();
    const cause = new Error("no route to 192.0.2.1");
    const parts = [new Error("first part"), "second part"];
    process.emit("uncaughtException", new AggregateError(parts, "all failed", { cause }));
    for (const text of ["all failed", "first part", "second part", "no route to [scrubbed]"]) {
      expect(lines[0]).toContain(text);
    }
  });

  test("an error that is its own cause ends, too", () => {
    const { lines, process } = wire();
    const error = new Error("round");
    error.cause = error;
    process.emit("uncaughtException", error);
    expect(lines).toHaveLength(1);
    expect(process.exits).toEqual([1]);
  });

  test.each([
    ["a string", "from 192.0.2.1", 'error="from [scrubbed]"'],
    ["nothing", undefined, "error=undefined"],
    ["an object", { remote: "192.0.2.1" }, "[scrubbed]"],
    [
      "an error that throws when it is looked at",
      Object.defineProperty(new Error("x"), "stack", {
        get: () => {
          throw new Error("192.0.2.1");
        },
      }),
      `error="something that can't be printed"`,
    ],
  ])("%s can be thrown", (_, thrown, expected) => {
    const { lines, process } = wire();
    process.emit("uncaughtException", thrown);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(expected);
    expect(lines[0]).not.toContain("192.0.2.1");
    expect(process.exits).toEqual([1]);
  });
});

describe("in a process of its own", () => {
  const PREAMBLE = `
    import { writeSync } from "node:fs";
    import { createLogger } from "./logger.ts";
    import { logProcessErrors } from "./process-errors.ts";
    const write = (chunk) => { writeSync(2, chunk); };
    const now = () => new Date();
    logProcessErrors(process, createLogger({ format: "text", level: "info", unsafe: false, write, now }));
  `;

  test.each([
    ["throws", `throw new Error("dial 192.0.2.1:80");`, 1, "ERROR uncaught exception"],
    [
      "throws later",
      `setTimeout(() => { throw new Error("dial [2001:db8::1]:80"); });`,
      1,
      "ERROR uncaught exception",
    ],
    [
      "rejects",
      `setTimeout(() => { void Promise.reject(new Error("dial 192.0.2.1")); });`,
      1,
      "ERROR unhandled rejection",
    ],
    ["warns", `process.emitWarning("from 192.0.2.1");`, 0, "WARN runtime warning"],
  ])("a script that %s prints one line and no address", async (_, script, code, expected) => {
    const child = Bun.spawn([process.execPath, "-e", PREAMBLE + script], {
      cwd: `${import.meta.dir}/../../src/log`,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [exitCode, output, errors] = await Promise.all([
      child.exited,
      child.stdout.text(),
      child.stderr.text(),
    ]);
    expect(output).toBe("");
    expect(errors).toContain(expected);
    expect(errors).toContain("[scrubbed]");
    expect(errors.trimEnd().split("\n")).toHaveLength(1);
    expect(errors).not.toMatch(/192\.0\.2|2001:db8/);
    expect(exitCode).toBe(code);
  });
});
