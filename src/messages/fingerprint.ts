/** Bridge fingerprints: which bridge a client wants to reach. */

declare const fingerprint: unique symbol;

/** The identity of a bridge: 20 or 32 bytes in upper-case hexadecimal digits. */
export type Fingerprint = string & { readonly [fingerprint]: true };

function isFingerprint(text: string): text is Fingerprint {
  if (text.length !== 40 && text.length !== 64) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code >= 0x30 && code <= 0x39;
    const letter = code >= 0x41 && code <= 0x46;
    if (!digit && !letter) return false;
  }
  return true;
}

/** Reads a fingerprint in either letter case; undefined if it is not hexadecimal or of another length. */
export function parseFingerprint(text: string): Fingerprint | undefined {
  const upper = text.toUpperCase();
  // A ligature such as U+FB00 becomes two letters in upper case.
  return upper.length === text.length && isFingerprint(upper) ? upper : undefined;
}
