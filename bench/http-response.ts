/** Reads HTTP/1.1 responses: just enough of it for a load generator that sends no HEAD and no pipelined request. */

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
}

const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: |\r\n|$)/;
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n|$)/i;
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked[ \t]*(?=\r\n|$)/i;
const CHUNK_SIZE = /^([0-9a-f]{1,7})(?:[ \t]*;.*)?$/i;
const CRLF = 2;

/**
 * Parses the bytes received since a request was sent. Undefined while the response is not complete. Throws for what is
 * not a response of known length, and for bytes that follow one: nothing was asked for that could bring them.
 */
export function parseResponse(received: Buffer): HttpResponse | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = received.toString("latin1", 0, headEnd);
  const status = STATUS_LINE.exec(head)?.[1];
  if (status === undefined) throw new Error("not an HTTP/1.1 response");

  const bodyStart = headEnd + 2 * CRLF;
  const length = CONTENT_LENGTH.exec(head)?.[1];
  const body = CHUNKED.test(head)
    ? readChunks(received, bodyStart)
    : readSized(received, bodyStart, length);
  if (body === undefined) return undefined;
  if (body.end < received.length) throw new Error("bytes after the response");
  return { status: Number(status), body: body.text };
}

interface Body {
  readonly text: string;
  /** Where the response ends in the bytes received. */
  readonly end: number;
}

function readSized(received: Buffer, start: number, length: string | undefined): Body | undefined {
  if (length === undefined) throw new Error("a response of unknown length");
  const end = start + Number(length);
  return received.length < end ? undefined : { text: received.toString("utf8", start, end), end };
}

function readChunks(received: Buffer, start: number): Body | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = received.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const size = CHUNK_SIZE.exec(received.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) throw new Error("a chunk of unknown size");
    const from = lineEnd + CRLF;
    const to = from + Number.parseInt(size, 16);
    if (to === from) return endOfChunks(received, lineEnd, Buffer.concat(pieces).toString());
    if (received.length < to + CRLF) return undefined;
    if (received.indexOf("\r\n", to) !== to) throw new Error("a chunk longer than its size");
    pieces.push(received.subarray(from, to));
    at = to + CRLF;
  }
}

/** Trailers, if any, end like a head: with an empty line. */
function endOfChunks(received: Buffer, lastLineEnd: number, text: string): Body | undefined {
  const end = received.indexOf("\r\n\r\n", lastLineEnd);
  return end === -1 ? undefined : { text, end: end + 2 * CRLF };
}
