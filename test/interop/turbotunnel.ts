/**
 * As much of the protocol between Snowflake's client and its server as it takes to read what a client sends in one
 * stream, and to say something back. From the outside in: a token and a client id; packets with a length prefix; KCP
 * segments in the packets; smux frames (version 2) in the byte stream that the segments make up.
 *
 * Nothing is retransmitted: below are a data channel and a WebSocket, which lose nothing.
 */

/** Token and client id, in bytes. */
const PREAMBLE = 16;
/** KCP's header: conversation 4, command 1, fragment 1, window 2, time 4, number 4, next expected 4, length 4. */
const SEGMENT_HEADER = 24;
const KCP_PUSH = 81;
const KCP_WINDOW = 0xffff;
/** smux's header: version 1, command 1, length 2, stream 4. */
const FRAME_HEADER = 8;
const SMUX_VERSION = 2;
const SMUX_PUSH = 2;

export class TurbotunnelPeer {
  readonly #onStreamBytes: (bytes: Uint8Array) => void;
  /** What has not been taken apart yet: of the connection, and of the byte stream that KCP carries. */
  #input: Buffer = Buffer.alloc(0);
  #frames: Buffer = Buffer.alloc(0);
  /** Segments that came before those in front of them, by number. */
  readonly #early = new Map<number, Buffer>();
  #expected = 0;
  #sent = 0;
  #conversation = 0;
  #stream = 0;
  #preamble: Buffer | undefined;

  /** `onStreamBytes` is given the client's own bytes, in order. */
  constructor(onStreamBytes: (bytes: Uint8Array) => void) {
    this.#onStreamBytes = onStreamBytes;
  }

  /** The first 8 bytes of the connection, in hex, when they have come. */
  get token(): string | undefined {
    return this.#preamble?.subarray(0, 8).toString("hex");
  }

  push(bytes: Uint8Array): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    if (this.#preamble === undefined) {
      if (this.#input.length < PREAMBLE) return;
      this.#preamble = this.#input.subarray(0, PREAMBLE);
      this.#input = this.#input.subarray(PREAMBLE);
    }
    for (let packet = this.#packet(); packet !== undefined; packet = this.#packet()) {
      this.#readSegments(packet);
    }
    this.#readFrames();
  }

  /** What to send so that the client reads these bytes from its stream: at most 1000, once the client has spoken. */
  say(bytes: Uint8Array): Uint8Array {
    const frame = Buffer.alloc(FRAME_HEADER + bytes.length);
    frame.writeUInt8(SMUX_VERSION, 0);
    frame.writeUInt8(SMUX_PUSH, 1);
    frame.writeUInt16LE(bytes.length, 2);
    frame.writeUInt32LE(this.#stream, 4);
    frame.set(bytes, FRAME_HEADER);

    const segment = Buffer.alloc(SEGMENT_HEADER);
    segment.writeUInt32LE(this.#conversation, 0);
    segment.writeUInt8(KCP_PUSH, 4);
    segment.writeUInt16LE(KCP_WINDOW, 6);
    segment.writeUInt32LE(this.#sent++, 12);
    segment.writeUInt32LE(this.#expected, 16);
    segment.writeUInt32LE(frame.length, 20);

    const length = segment.length + frame.length;
    return Buffer.concat([Uint8Array.of(0xc0 | (length >> 7), length & 0x7f), segment, frame]);
  }

  /**
   * The next packet, if it is complete. The prefix's first byte: 0x80 data (else padding), 0x40 more bytes follow, six
   * bits of length; in further bytes 0x80 says that more follow, with seven bits of length each.
   */
  #packet(): Buffer | undefined {
    const first = this.#input[0];
    if (first === undefined) return undefined;
    let length = first & 0x3f;
    let prefix = 1;
    for (let more = (first & 0x40) !== 0; more; prefix++) {
      const byte = this.#input[prefix];
      if (byte === undefined) return undefined;
      length = (length << 7) | (byte & 0x7f);
      more = (byte & 0x80) !== 0;
    }
    if (this.#input.length < prefix + length) return undefined;
    const packet = this.#input.subarray(prefix, prefix + length);
    this.#input = this.#input.subarray(prefix + length);
    return (first & 0x80) === 0 ? packet.subarray(0, 0) : packet;
  }

  #readSegments(packet: Buffer): void {
    for (let rest = packet; rest.length >= SEGMENT_HEADER;) {
      const end = SEGMENT_HEADER + rest.readUInt32LE(20);
      this.#conversation = rest.readUInt32LE(0);
      if (rest.readUInt8(4) === KCP_PUSH) {
        this.#early.set(rest.readUInt32LE(12), rest.subarray(SEGMENT_HEADER, end));
      }
      rest = rest.subarray(end);
    }
    for (;;) {
      const next = this.#early.get(this.#expected);
      if (next === undefined) return;
      this.#early.delete(this.#expected++);
      this.#frames = Buffer.concat([this.#frames, next]);
    }
  }

  #readFrames(): void {
    while (this.#frames.length >= FRAME_HEADER) {
      const end = FRAME_HEADER + this.#frames.readUInt16LE(2);
      if (this.#frames.length < end) return;
      if (this.#frames.readUInt8(1) === SMUX_PUSH) {
        this.#stream = this.#frames.readUInt32LE(4);
        this.#onStreamBytes(this.#frames.subarray(FRAME_HEADER, end));
      }
      this.#frames = this.#frames.subarray(end);
    }
  }
}
