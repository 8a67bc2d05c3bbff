/** Reading the bodies of requests, which anybody can send, within bounds. */

/** The longest body that is read, in bytes: the limit of the protocol. */
export const BODY_LIMIT = 100_000;

/** The body, or why there is none: it is longer than the limit, or it ended or stalled before it was complete. */
export type RequestBody = Uint8Array | "too-long" | "broken";

/**
 * Reads a body of at most `BODY_LIMIT` bytes, within `timeout` ms if that is given. One that declares more is not read
 * at all, and one that declares nothing (chunked, or HTTP/2 without a length) is read no further than the limit.
 */
export function readBody(request: Request, timeout: number | undefined): Promise<RequestBody> {
  return timeout === undefined ? readWithinLimit(request) : readInTime(request, timeout);
}

async function readInTime(request: Request, timeout: number): Promise<RequestBody> {
  const late = Promise.withResolvers<"broken">();
  const timer = setTimeout(late.resolve, timeout, "broken");
  const body = await Promise.race([readWithinLimit(request), late.promise]);
  clearTimeout(timer);
  return body;
}

async function readWithinLimit(request: Request): Promise<RequestBody> {
  const declared = request.headers.get("content-length");
  try {
    if (declared === null) return await readUndeclared(request);
    // The server refuses lengths that are no number and bodies that are longer than declared.
    return Number(declared) > BODY_LIMIT ? "too-long" : await request.bytes();
  } catch {
    // The stream fails when the peer hangs up or breaks the framing: its doing, and nobody is left to be told.
    return "broken";
  }
}

async function readUndeclared(request: Request): Promise<RequestBody> {
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.byteLength;
    if (length > BODY_LIMIT) return "too-long";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
