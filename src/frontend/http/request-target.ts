/** The path of a request and what becomes of it before any route is looked up. */

/** Where a request wants to go. `query` begins with `?` or is empty. */
export interface RequestTarget {
  /** The path, still percent-encoded. */
  readonly path: string;
  readonly query: string;
}

/**
 * Cuts a request's URL by hand: it may lack the authority (HTTP/1.0, odd Host headers), where `new URL` throws, and a
 * cut is cheaper. Dot segments are already resolved when it comes from the server.
 */
export function parseRequestTarget(url: string): RequestTarget {
  const scheme = url.indexOf("://");
  const start = url.startsWith("/") || scheme === -1 ? 0 : url.indexOf("/", scheme + 3);
  if (start === -1) return { path: "/", query: "" };
  const hash = url.indexOf("#", start);
  const end = hash === -1 ? url.length : hash;
  const question = url.indexOf("?", start);
  if (question === -1 || question >= end) return { path: url.slice(start, end), query: "" };
  return { path: url.slice(start, question), query: url.slice(question, end) };
}

/** The path with empty and dot segments removed; a trailing slash stays. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const slash = kept.length > 0 && segments.at(-1) === "" ? "/" : "";
  return `/${kept.join("/")}${slash}`;
}

/**
 * Decodes the percent escapes of a path; undefined if one is malformed. An encoded slash stays encoded, so that it
 * separates nothing, unless `slash` says that it is one like others.
 */
export function decodePath(path: string, slash: "%2F" | "/" = "%2F"): string | undefined {
  if (!path.includes("%")) return path;
  const bytes = Buffer.from(path, "utf8");
  const decoded = Buffer.alloc(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte !== PERCENT) {
      decoded[length++] = byte;
      continue;
    }
    const value = hexDigit(bytes[i + 1]) * 16 + hexDigit(bytes[i + 2]);
    if (Number.isNaN(value)) return undefined;
    if (value === SLASH) length += decoded.write(slash, length, "latin1");
    else decoded[length++] = value;
    i += 2;
  }
  return decoded.toString("utf8", 0, length);
}

const PERCENT = 0x25;
const SLASH = 0x2f;

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  const letter = byte | 0x20;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
