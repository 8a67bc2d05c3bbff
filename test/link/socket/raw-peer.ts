/** One end of the link that says whatever a test wants, right or wrong. */

import { ByteWriter } from "../../../src/link/socket/byte-writer.ts";
import { type Codec, TEXT } from "../../../src/link/socket/codec.ts";
import {
  FRAME_KIND,
  FrameReader,
  PROTOCOL_VERSION,
  writeFrame,
} from "../../../src/link/socket/frame.ts";
import { HELLO, type Hello } from "../../../src/link/socket/hello.ts";

/** A payload as its bytes. */
export function payloadBytes<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return Buffer.from(writer.bytes);
}

/** A frame as its bytes. */
export function frameBytes<T>(kind: number, id: number, codec: Codec<T>, value: T): Buffer {
  const writer = new ByteWriter();
  writeFrame(writer, kind, id, codec, value);
  return Buffer.from(writer.bytes);
}

/** The first frame of a frontend, as it ought to be. */
export function helloBytes(hello: Partial<Hello> = {}): Buffer {
  return frameBytes<Hello>(FRAME_KIND.hello, 0, HELLO, {
    version: PROTOCOL_VERSION,
    role: "http-frontend",
    ...hello,
  });
}

export class RawPeer implements Disposable {
  /** The kinds of all frames that came, in order, but for the intervals that follow every hello. */
  readonly kinds: number[] = [];
  /** Why the core does not want this frontend. */
  refusal: string | undefined;
  closed = false;
  #socket: Bun.Socket<RawPeer> | undefined;
  readonly #reader = new FrameReader((kind, _id, payload) => {
    if (kind !== FRAME_KIND.intervals) this.kinds.push(kind);
    if (kind === FRAME_KIND.refused) this.refusal = TEXT.read(payload);
    return true;
  });

  static async connect(path: string): Promise<RawPeer> {
    const peer = new RawPeer();
    peer.#socket = await Bun.connect<RawPeer>({
      unix: path,
      data: peer,
      socket: {
        data: (_, chunk) => void peer.#reader.push(chunk),
        close() {
          peer.closed = true;
        },
      },
    });
    return peer;
  }

  /** Sends what the socket takes at once and returns how many bytes that were. */
  send(bytes: Uint8Array): number {
    return this.#socket?.write(bytes) ?? 0;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket?.pause();
  }

  hangUp(): void {
    this.#socket?.terminate();
  }

  [Symbol.dispose](): void {
    this.hangUp();
  }
}
