import { describe, expect, test } from "bun:test";

import { createLogger } from "../../src/log/logger.ts";
import { OutputWriter, RETRY } from "../../src/system/output-writer.ts";
import { FakeClock } from "../kit/fake-clock.ts";

/** An output that takes so many more bytes. */
class BoundedOutput {
  taken = "";
  room = 0;

  writeAtOnce(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.room);
    if (part.length === 0) throw new Error("its reader does not read");
    this.room -= part.length;
    this.taken += Buffer.from(part).toString();
    return part.length;
  }
}

function writerTo(output: BoundedOutput, room: number) {
  const clock = new FakeClock();
  let caughtUp = 0;
  const writer = new OutputWriter({
    writeAtOnce: (bytes) => output.writeAtOnce(bytes),
    room,
    clock,
    onCaughtUp: () => caughtUp++,
  });
  return { clock, writer, caughtUp: () => caughtUp };
}

describe("an output writer", () => {
  test("writes before it returns, and sets no timer", () => {
    const output = new BoundedOutput();
    output.room = 100;
    const { writer, clock } = writerTo(output, 10);
    writer.write("one\n");
    expect(output.taken).toBe("one\n");
    expect(clock.timers).toBe(0);
  });

  test("what is not taken waits, in its order and up to the room; the rest is refused whole", () => {
    const output = new BoundedOutput();
    const { writer, clock, caughtUp } = writerTo(output, 8);
    writer.write("one\n");
    writer.write("two\n");
    expect(() => writer.write("three\n")).toThrow("its reader does not read");
    clock.advance(10 * RETRY);
    expect(caughtUp()).toBe(0);
    output.room = 6;
    clock.advance(RETRY);
    expect(output.taken).toBe("one\ntw");
    writer.write("four\n");
    output.room = 100;
    clock.advance(RETRY);
    expect(output.taken).toBe("one\ntwo\nfour\n");
    expect(caughtUp()).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test("what waits comes before a later text that is taken at once", () => {
    const output = new BoundedOutput();
    const { writer } = writerTo(output, 8);
    writer.write("one\n");
    output.room = 100;
    writer.write("two\n");
    expect(output.taken).toBe("one\ntwo\n");
  });

  test("without room only a text that was written in part waits, so that none is torn", () => {
    const output = new BoundedOutput();
    const { writer, clock } = writerTo(output, 0);
    expect(() => writer.write("one\n")).toThrow();
    output.room = 2;
    writer.write("two\n");
    expect(() => writer.write("three\n")).toThrow();
    output.room = 100;
    clock.advance(RETRY);
    writer.write("four\n");
    expect(output.taken).toBe("two\nfour\n");
  });

  test("many waiting texts are written in few goes", () => {
    const output = new BoundedOutput();
    const { writer, clock } = writerTo(output, 1_000_000);
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    for (const line of lines) writer.write(line);
    let goes = 0;
    const takeAll = output.writeAtOnce.bind(output);
    output.writeAtOnce = (bytes) => {
      goes++;
      return takeAll(bytes);
    };
    output.room = 1_000_000;
    clock.advance(RETRY);
    expect(output.taken).toBe(lines.join(""));
    expect(goes).toBeLessThan(5);
  });

  test("at the end it waits for a reader that reads, and not for one that does not", () => {
    const output = new BoundedOutput();
    const { writer } = writerTo(output, 100);
    writer.write("one\n");
    const begun = performance.now();
    writer.finish();
    expect(performance.now() - begun).toBeWithin(300, 3_000);
    expect(output.taken).toBe("");

    let attempts = 0;
    const take = output.writeAtOnce.bind(output);
    output.writeAtOnce = (bytes) => {
      if (++attempts % 2 === 0) output.room = 1;
      return take(bytes);
    };
    writer.finish();
    expect(output.taken).toBe("one\n");
  });

  test("a logger tells how many lines were lost, where they are missing, even if nothing more is logged", () => {
    const output = new BoundedOutput();
    const { writer, clock, caughtUp } = writerTo(output, 60);
    const log = createLogger({
      format: "text",
      level: "info",
      unsafe: false,
      write: (text) => writer.write(text),
      now: () => new Date("2026-08-01T05:07:09Z"),
    });
    for (const line of ["one", "two", "three", "four", "five"]) log.info(line);
    output.room = 1000;
    clock.advance(RETRY);
    expect(caughtUp()).toBe(1);
    log.flush();
    expect(output.taken).toBe(
      "2026/08/01 05:07:09 one\n2026/08/01 05:07:09 two\n" +
        "2026/08/01 05:07:09 ERROR log lines were lost lines=3\n",
    );
  });
});
