/** Names that a certificate authority can be asked to certify. */

import { isIP } from "node:net";
import { domainToASCII } from "node:url";

/** In lower case, international names in their ASCII form; no name twice. */
export type AcmeHostnames = readonly [string, ...string[]];

export type ParsedHostnames =
  | { readonly ok: true; readonly value: AcmeHostnames }
  /** `error` names what is no host name. */
  | { readonly ok: false; readonly error: string };

/** So many names Let's Encrypt puts into a certificate. */
const MAX_HOSTNAMES = 100;

/** Labels of letters, digits and inner hyphens; at least two of them, the last one not a number. */
const HOSTNAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What a URL parser, which knows how to write international names, would take for another part of a URL or drop. */
const UNSUITED = /[^a-z0-9.\-\P{ASCII}]/iu;

/**
 * Reads a list separated by commas. What comes out is safe as the name of a file. Addresses, wildcards and names of a
 * single label are refused: no authority certifies them over HTTP-01.
 */
export function parseAcmeHostnames(text: string): ParsedHostnames {
  const names = new Set<string>();
  for (const entry of text.split(",")) {
    const given = entry.trim();
    if (given.startsWith("*.")) {
      return { ok: false, error: `${given}: HTTP-01 gives no certificate for a wildcard` };
    }
    const name = UNSUITED.test(given) ? "" : domainToASCII(given);
    if (isIP(name) !== 0 || name.length > 253 || !HOSTNAME.test(name)) {
      const what = given === "" ? "an entry is empty" : `${given} is no full host name`;
      return { ok: false, error: what };
    }
    names.add(name);
  }
  if (names.size > MAX_HOSTNAMES) {
    return { ok: false, error: `a certificate has at most ${MAX_HOSTNAMES} names` };
  }
  const [first, ...rest] = names;
  return first === undefined
    ? { ok: false, error: "it is empty" }
    : { ok: true, value: [first, ...rest] };
}
