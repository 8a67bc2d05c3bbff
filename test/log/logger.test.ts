import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { createLogger, LOG_LEVELS, type LoggerOptions } from "../../src/log/logger.ts";

function logTo(chunks: string[], options: Partial<LoggerOptions> = {}) {
  return createLogger({
    format: "text",
    level: "debug",
    unsafe: false,
    write: (chunk) => chunks.push(chunk),
    now: () => new Date(Date.UTC(2026, 7, 1, 5, 7, 9, 42)),
    ...options,
  });
}

describe("text", () => {
  test("one line for an event, written at once", () => {
    const chunks: string[] = [];
    const logger = logTo(chunks);
    logger.info("Loaded open poll interval: 1000 ms");
    expect(chunks).toEqual(["2026/08/01 05:07:09 Loaded open poll interval: 1000 ms\n"]);
    logger.debug("d");
    logger.warn("w");
    logger.error("e");
    expect(chunks.slice(1)).toEqual([
      "2026/08/01 05:07:09 DEBUG d\n",
      "2026/08/01 05:07:09 WARN w\n",
      "2026/08/01 05:07:09 ERROR e\n",
    ]);
  });

  test("fields", () => {
    const chunks: string[] = [];
    logTo(chunks).info("loaded", {
      path: "/etc/geoip",
      entries: 193482,
      ok: true,
      name: 'two "words"',
      empty: "",
      sum: "a=b",
    });
    expect(chunks).toEqual([
      '2026/08/01 05:07:09 loaded path=/etc/geoip entries=193482 ok=true name="two \\"words\\"" empty="" sum="a=b"\n',
    ]);
  });

  test("control characters are escaped", () => {
    const chunks: string[] = [];
    logTo(chunks).info("a\r\nb\tc\u001b[31m\u007f\u0085\u2028", { v: "x\ny\u009b" });
    expect(chunks).toEqual([
      '2026/08/01 05:07:09 a\\r\\nb\\tc\\u001b[31m\\u007f\\u0085\\u2028 v="x\\ny\\u009b"\n',
    ]);
  });
});

describe("JSON", () => {
  test("one object for an event", () => {
    const chunks: string[] = [];
    logTo(chunks, { format: "json" }).warn("a\nb", { s: 'x"y', n: 1.5, b: false, nan: Number.NaN });
    expect(chunks).toEqual([
      '{"time":"2026-08-01T05:07:09.042Z","level":"warn","msg":"a\\nb","s":"x\\"y","n":1.5,"b":false,"nan":"NaN"}\n',
    ]);
  });

  test("fields can't pose as the members that every line has", () => {
    const chunks: string[] = [];
    logTo(chunks, { format: "json" }).info("real", { msg: "forged", level: "error", time: 0 });
    expect(JSON.parse(chunks.join(""))).toEqual({
      time: "2026-08-01T05:07:09.042Z",
      level: "info",
      msg: "real",
      msg_: "forged",
      level_: "error",
      time_: 0,
    });
  });
});

test.each([...LOG_LEVELS])("events below level %s are left out", (level) => {
  const chunks: string[] = [];
  const logger = logTo(chunks, { level, format: "json" });
  for (const each of LOG_LEVELS) logger[each]("x");
  const written = chunks.map((chunk) => /"level":"(\w+)"/.exec(chunk)?.[1]);
  expect(written).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
});

describe.each(["text", "json"] as const)("every part of a %s line", (format) => {
  test("is scrubbed", () => {
    const chunks: string[] = [];
    const logger = logTo(chunks, { format });
    for (const level of LOG_LEVELS) {
      logger[level]("from 192.0.2.1:5 to 2001:db8::7", { "192.0.2.2": 1, remote: "192.0.2.3" });
      logger[level]("got v=0\r\na=ice-pwd:secret", { sdp: '{"sdp":"secret"}' });
    }
    expect(chunks).toHaveLength(8);
    expect(chunks.join("")).not.toMatch(/192\.0\.2|2001|secret/);
    expect(chunks.join("").match(/\[scrubbed\]/g)).toHaveLength(24);
  });

  test("is not if unsafe", () => {
    const chunks: string[] = [];
    logTo(chunks, { format, unsafe: true }).info("from 192.0.2.1:5", { remote: "192.0.2.3" });
    expect(chunks.join("")).toContain("from 192.0.2.1:5");
    expect(chunks.join("")).toContain("192.0.2.3");
  });

  test("stays on the line, whatever it holds", () => {
    const text = fc.string({ unit: "binary" });
    const value = fc.oneof(text, fc.double(), fc.boolean());
    fc.assert(
      fc.property(text, fc.dictionary(text, value), (message, fields) => {
        const chunks: string[] = [];
        logTo(chunks, { format }).info(message, fields);
        expect(chunks).toHaveLength(1);
        expect(chunks.join("")).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+\n$/u);
        if (format === "json") expect(JSON.parse(chunks.join(""))).toHaveProperty("msg");
      }),
    );
  });
});

describe("a sink that fails", () => {
  test("does not disturb the caller, and the loss is told", () => {
    const chunks: string[] = [];
    let isBroken = true;
    const logger = logTo(chunks, {
      write: (chunk) => {
        if (isBroken) throw new Error("EPIPE");
        chunks.push(chunk);
      },
    });
    logger.info("one");
    logger.info("two");
    logger.flush();
    isBroken = false;
    logger.info("three");
    logger.info("four");
    logger.flush();
    expect(chunks).toEqual([
      "2026/08/01 05:07:09 ERROR log lines were lost lines=2\n2026/08/01 05:07:09 three\n",
      "2026/08/01 05:07:09 four\n",
    ]);
  });

  test("the loss is told at the end at the latest", () => {
    const chunks: string[] = [];
    let isBroken = true;
    const logger = logTo(chunks, {
      write: (chunk) => {
        if (isBroken) throw new Error("EAGAIN");
        chunks.push(chunk);
      },
    });
    logger.info("one");
    isBroken = false;
    logger.flush();
    expect(chunks).toEqual(["2026/08/01 05:07:09 ERROR log lines were lost lines=1\n"]);
  });
});
