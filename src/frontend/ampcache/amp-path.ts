/** A client's message in the path of a request, because AMP caches pass on nothing else. */

export type DecodedPath =
  { readonly ok: true; readonly message: Uint8Array } | { readonly ok: false };

/** What the paths of this format begin with. */
const FORMAT_VERSION = "0";

/** The URL-safe alphabet of RFC 4648, section 5, without padding. */
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/**
 * Decodes a path, itself already percent-decoded: the format version; whatever makes it unlike other paths, so that no
 * cache knows it; a slash, which is the last; and the message in base64url. CR and LF within are skipped, bits beyond
 * the last byte are not looked at.
 */
export function decodeAmpPath(path: string): DecodedPath {
  const slash = path.lastIndexOf("/");
  if (!path.startsWith(FORMAT_VERSION) || slash === -1) return { ok: false };
  const text = path.slice(slash + 1).replaceAll(/[\r\n]+/g, "");
  // A last group of one character has only 6 of a byte's 8 bits.
  if (!BASE64URL.test(text) || text.length % 4 === 1) return { ok: false };
  return { ok: true, message: Buffer.from(text, "base64url") };
}
