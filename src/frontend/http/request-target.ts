/** The path of a request and what becomes of it before any route is looked up. */

/** Where a request wants to go. `query` begins with `?` or is empty. */
export interface RequestTarget {
  /** The path, still percent-encoded. */
  readonly path: string;
  readonly query: string;
}

/** Cuts what the request line says: a path with a query, or an authority, or `*`. */
export function parseRequestTarget(target: string): RequestTarget {
  const question = target.indexOf("?");
  if (question === -1) return { path: target, query: "" };
  return { path: target.slice(0, question), query: target.slice(question) };
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
    if (value === SLASH && slash !== "/") {
      decoded[length++] = PERCENT;
      decoded[length++] = 0x32;
      decoded[length++] = 0x46;
    } else {
      decoded[length++] = value;
    }
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
