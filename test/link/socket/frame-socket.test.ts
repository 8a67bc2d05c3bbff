import { describe, expect, test } from "bun:test";

import { type Codec, TEXT } from "../../../src/link/socket/codec.ts";
import { type ByteSocket, FrameSocket } from "../../../src/link/socket/frame-socket.ts";
import { FrameReader } from "../../../src/link/socket/frame.ts";
import { until } from "./linked.ts";

/** A socket that takes as many bytes as it is told. */
class MeasuredSocket implements ByteSocket {
  room = 0;
  writes = 0;
  state: "open" | "ended" | "terminated" = "open";
  readonly texts: string[] = [];
  readonly #reader = new FrameReader((_kind, _id, payload) => {
    this.texts.push(payload.text());
    return true;
  });

  write(bytes: Uint8Array): number {
    this.writes++;
    const taken = Math.min(this.room, bytes.length);
    this.room -= taken;
    this.#reader.push(Buffer.from(bytes.subarray(0, taken)));
    return taken;
  }

  end(): void {
    this.state = "ended";
  }

  terminate(): void {
    this.state = "terminated";
  }
}

function open(maxKept = 1000) {
  const socket = new MeasuredSocket();
  const closed: string[] = [];
  const received: number[] = [];
  const frames = new FrameSocket({
    socket,
    maxKept,
    onFrame(kind) {
      received.push(kind);
      return kind !== 99;
    },
    onClosed: (reason) => closed.push(reason),
  });
  return { socket, closed, received, frames };
}

/** A frame of this kind without a payload. */
function frameOf(kind: number): Buffer {
  return Buffer.of(5, 0, 0, 0, 0, 0, 0, 0, kind);
}

const nextTurn = () => new Promise(setImmediate);

describe("a frame socket", () => {
  test("writes the frames of one turn at once", async () => {
    const { socket, frames } = open();
    socket.room = 1000;
    for (const text of ["a", "b", "c"]) frames.send(7, 1, TEXT, text);
    expect(socket.writes).toBe(0);
    await until(() => socket.texts.length === 3);
    expect(socket.texts).toEqual(["a", "b", "c"]);
    expect(socket.writes).toBe(1);
  });

  test("keeps what the socket does not take, and writes nothing until it can take more", async () => {
    const { socket, frames } = open();
    socket.room = 5;
    frames.send(7, 1, TEXT, "first");
    await nextTurn();
    frames.send(7, 1, TEXT, "second");
    await nextTurn();
    expect(socket.writes).toBe(1);
    for (let i = 0; i < 100 && socket.texts.length < 2; i++) {
      socket.room = 3;
      frames.onDrain();
    }
    expect(socket.texts).toEqual(["first", "second"]);
  });

  test("is cut when its peer leaves more unread than may be kept", async () => {
    const { socket, closed, frames } = open(100);
    frames.send(7, 1, TEXT, "x".repeat(80));
    await nextTurn();
    expect(closed).toEqual([]);
    let written = 0;
    const counted: Codec<string> = {
      ...TEXT,
      write(to, text) {
        written++;
        TEXT.write(to, text);
      },
    };
    for (let i = 0; i < 1000; i++) frames.send(7, 1, counted, "x".repeat(80));
    // Two frames of 93 bytes are more than 100: the second of all was the last to be kept.
    expect(written).toBe(1);
    await nextTurn();
    expect(closed).toEqual(["it does not read"]);
    expect(socket.state).toBe("terminated");
  });

  test("is cut at a frame that is not wanted, and takes none after it", () => {
    const { socket, closed, received, frames } = open();
    frames.onData(Buffer.concat([frameOf(1), frameOf(99), frameOf(2)]));
    frames.onData(frameOf(3));
    expect(received).toEqual([1, 99]);
    expect(closed).toEqual(["it sent what is no frame"]);
    expect(socket.state).toBe("terminated");
  });

  test("that ends delivers what it has, and hears nothing more", async () => {
    const { socket, received, frames } = open();
    frames.send(7, 1, TEXT, "before");
    frames.end();
    frames.send(7, 1, TEXT, "in the same turn");
    frames.onData(frameOf(1));
    await nextTurn();
    expect(socket.state).toBe("open");
    socket.room = 1000;
    frames.onDrain();
    expect(socket.texts).toEqual(["before", "in the same turn"]);
    expect(socket.state).toBe("ended");
    expect(received).toEqual([]);
  });

  test("closes once, and then neither sends nor hears", async () => {
    const { socket, closed, received, frames } = open();
    socket.room = 1000;
    frames.send(7, 1, TEXT, "lost");
    frames.onClose();
    frames.onClose();
    frames.cut("again");
    frames.send(7, 1, TEXT, "late");
    frames.onData(frameOf(1));
    frames.onDrain();
    await nextTurn();
    expect(closed).toEqual(["it hung up"]);
    expect(socket.writes).toBe(0);
    expect(received).toEqual([]);
  });
});
