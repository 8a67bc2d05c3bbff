/** Frames: their types, flags and codes, and how ours are written (RFC 9113 sections 4, 6 and 7). */

/** Bytes before the payload: 3 of length, 1 of type, 1 of flags, 4 of stream. */
export const FRAME_HEADER_BYTES = 9;

/** The longest payload that we send and accept: the default of MAX_FRAME_SIZE. */
export const MAX_FRAME_BYTES = 16_384;

/** The highest value that a peer may set MAX_FRAME_SIZE to. */
export const MAX_FRAME_SIZE = 0xff_ffff;

/** The largest window, and the highest id of a stream. */
export const MAX_WINDOW = 0x7fff_ffff;

/** Bytes of every window before SETTINGS and WINDOW_UPDATE. */
export const DEFAULT_WINDOW = 65_535;

/** Types of frames. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames. */
export const FLAG = {
  /** Of DATA and HEADERS. */
  endStream: 0x1,
  /** Of SETTINGS and PING. */
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Ids of settings. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** The error codes of RFC 9113 section 7 that we send. */
export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

/** The four bytes from `at` on, as an unsigned number. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (readU31(bytes, at) | ((bytes[at] ?? 0) & 0x80 ? 0x8000_0000 : 0)) >>> 0;
}

/** The same without the highest bit, which is reserved in stream ids and window increments. */
export function readU31(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) & 0x7f) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** Writes an unsigned number into the four bytes from `at` on. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes the header of a frame at `at`, and returns where its payload goes. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  writeU32(bytes, at + 5, stream);
  return at + FRAME_HEADER_BYTES;
}

/** The header of a frame alone; the payload is written after it. */
export function frameHeader(length: number, type: number, flags: number, stream: number) {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  writeFrameHeader(bytes, 0, length, type, flags, stream);
  return bytes;
}

function frameOfNumbers(type: number, stream: number, ...numbers: readonly number[]): Uint8Array {
  const length = 4 * numbers.length;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + length);
  let at = writeFrameHeader(bytes, 0, length, type, 0, stream);
  for (const number of numbers) {
    writeU32(bytes, at, number);
    at += 4;
  }
  return bytes;
}

/** RST_STREAM. */
export function resetFrame(stream: number, code: ErrorCode): Uint8Array {
  return frameOfNumbers(FRAME.rstStream, stream, code);
}

/** WINDOW_UPDATE. Stream 0 is the connection. */
export function windowUpdateFrame(stream: number, increment: number): Uint8Array {
  return frameOfNumbers(FRAME.windowUpdate, stream, increment);
}

/** GOAWAY. */
export function goAwayFrame(lastStream: number, code: ErrorCode): Uint8Array {
  return frameOfNumbers(FRAME.goAway, 0, lastStream, code);
}

/** SETTINGS. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]) {
  const length = 6 * settings.length;
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + length);
  let at = writeFrameHeader(bytes, 0, length, FRAME.settings, 0, 0);
  for (const [id, value] of settings) {
    bytes[at + 1] = id;
    writeU32(bytes, at + 2, value);
    at += 6;
  }
  return bytes;
}

/** The acknowledgement of SETTINGS. */
export const SETTINGS_ACK: Uint8Array = frameHeader(0, FRAME.settings, FLAG.ack, 0);

/** PING with its eight bytes, or the answer to one. */
export function pingFrame(flags: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + 8);
  bytes.set(data, writeFrameHeader(bytes, 0, 8, FRAME.ping, flags, 0));
  return bytes;
}
