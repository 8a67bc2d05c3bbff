/**
 * Reading Internet addresses from text, and writing their canonical form. Strict: four decimal octets without leading
 * zeros, or IPv6 as in RFC 4291 section 2.2; no host names, no surrounding space.
 */

import { Address } from "./address.ts";
import { copyText } from "./copied-text.ts";

const DOT = 0x2e;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;

/**
 * The longest zone, in characters. Interface names have at most 15 on Linux and numbers fewer; without a bound an
 * address could take all of a header of 16 KiB.
 */
export const LONGEST_ZONE = 64;

/** How many 16-bit groups an IPv6 address has. */
const GROUPS = 8;

/**
 * Reads the address of a peer as sockets and headers give it: `host`, `host:port`, `[host]` or `[host]:port`, the host
 * with an optional `%zone` of at most 64 characters. The port is not looked at. The unspecified addresses `0.0.0.0` and `::` belong to nobody
 * and are refused.
 */
export function parseAddress(text: string): Address | undefined {
  const host = hostOf(text);
  if (host === undefined) return undefined;
  const percent = host.lastIndexOf("%");
  const ip = canonicalIp(percent === -1 ? host : host.slice(0, percent));
  if (ip === undefined || ip === "0.0.0.0" || ip === "::") return undefined;
  const zone = percent === -1 ? "" : host.slice(percent + 1);
  if (zone === "") return new Address(ip);
  // Copied: a piece of a header would keep the whole header in memory.
  return isZone(zone) ? new Address(copyText(`${ip}%${zone}`)) : undefined;
}

/** Reads an address that stands alone: no port, no brackets, no zone. Here the unspecified addresses count. */
export function parseBareAddress(text: string): Address | undefined {
  const ip = canonicalIp(text);
  return ip === undefined ? undefined : new Address(ip);
}

/** Reads a dotted IPv4 address as an unsigned 32-bit number. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let dots = 0;
  /** -1 before the first digit. */
  let octet = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet === -1) return undefined;
      value = value * 256 + octet;
      octet = -1;
      dots++;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet === -1 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return octet === -1 || dots !== 3 ? undefined : value * 256 + octet;
}

/** Reads an IPv6 address, without zone, as its eight 16-bit groups. */
export function parseIpv6(text: string): readonly number[] | undefined {
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  /** How many groups are read. */
  let count = 0;
  /** How many groups stand before the `::`; -1 while there is none. */
  let gap = -1;
  let i = 0;
  if (text.startsWith("::")) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    const start = i;
    let group = 0;
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit === -1) break;
      group = group * 16 + digit;
    }
    if (i === start || i - start > 4 || count === GROUPS) return undefined;
    if (text.charCodeAt(i) === DOT) {
      const tail = parseIpv4(text.slice(start));
      if (tail === undefined || count > GROUPS - 2) return undefined;
      groups[count++] = tail >>> 16;
      groups[count++] = tail & 0xffff;
      break;
    }
    groups[count++] = group;
    if (i === text.length) break;
    if (text.charCodeAt(i) !== COLON) return undefined;
    i++;
    if (i === text.length) return undefined;
    if (text.charCodeAt(i) === COLON) {
      if (gap !== -1) return undefined;
      gap = count;
      i++;
    }
  }
  if (gap === -1) return count === GROUPS ? groups : undefined;
  // The gap stands for one group of zeros at least.
  if (count === GROUPS) return undefined;
  const afterGap = GROUPS - (count - gap);
  return groups.copyWithin(afterGap, gap, count).fill(0, gap, afterGap);
}

/** The host of an address with or without port and brackets; undefined if the brackets are not where they belong. */
function hostOf(text: string): string | undefined {
  if (text.charCodeAt(0) === OPEN_BRACKET) {
    const close = text.indexOf("]");
    if (close === -1) return undefined;
    const end = close + 1;
    if (end < text.length && (text.charCodeAt(end) !== COLON || !isPort(text, end + 1))) {
      return undefined;
    }
    return text.slice(1, close);
  }
  const colon = text.indexOf(":");
  if (colon === -1) return text;
  // Several colons without brackets are an IPv6 address without a port.
  if (text.includes(":", colon + 1)) return text;
  return isPort(text, colon + 1) ? text.slice(0, colon) : undefined;
}

/** Whether what begins at `start` may stand for a port: anything that can't be taken for more of the host. */
function isPort(text: string, start: number): boolean {
  for (let i = start; i < text.length; i++) if (isStructural(text.charCodeAt(i))) return false;
  return true;
}

/** Whether a zone is short, visible ASCII and can't be taken for anything else, so that the canonical form reads as itself. */
function isZone(zone: string): boolean {
  if (zone.length > LONGEST_ZONE) return false;
  for (let i = 0; i < zone.length; i++) {
    const code = zone.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x2f || isStructural(code)) return false;
  }
  return true;
}

/** A colon or a bracket. */
function isStructural(code: number): boolean {
  return code === COLON || code === OPEN_BRACKET || code === 0x5d;
}

/** The canonical form of an address without zone: IPv4 and IPv4-mapped addresses dotted, the rest as in RFC 5952. */
function canonicalIp(text: string): string | undefined {
  if (!text.includes(":")) {
    const ipv4 = parseIpv4(text);
    return ipv4 === undefined ? undefined : formatIpv4(ipv4);
  }
  const groups = parseIpv6(text);
  if (groups === undefined) return undefined;
  const mapped = mappedIpv4(groups);
  return mapped === undefined ? formatIpv6(groups) : formatIpv4(mapped);
}

/** The IPv4 address inside `::ffff:0:0/96`; undefined for any other address. */
function mappedIpv4(groups: readonly number[]): number | undefined {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return undefined;
  if (groups[5] !== 0xffff) return undefined;
  return (groups[6] ?? 0) * 0x10000 + (groups[7] ?? 0);
}

// Written anew rather than cut out of the input: a piece of a header would keep the whole header in memory.
function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`;
}

/** RFC 5952: the first of the longest runs of two or more zero groups becomes `::`. */
function formatIpv6(groups: readonly number[]): string {
  let start = 0;
  let length = 1;
  for (let i = 0, run = 0; i < GROUPS; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      start = i + 1 - run;
    }
  }
  const end = length === 1 ? 0 : start + length;
  let text = "";
  for (let i = 0; i < GROUPS; i++) {
    if (i >= start && i < end) {
      if (i === start) text += "::";
      continue;
    }
    if (i !== 0 && i !== end) text += ":";
    text += (groups[i] ?? 0).toString(16);
  }
  return text;
}

/** The value of a hexadecimal digit in either letter case; -1 if it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
