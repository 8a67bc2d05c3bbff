/**
 * Who is at the other end: the address a request comes from, as its headers and its socket tell it.
 *
 * `Forwarded` is not read as RFC 7239 has it but as the reference broker does: every comma separates elements, quoted
 * or not, and brackets and quotes around an address are optional.
 *
 * Header lines of one name are joined with `, `. That loses nothing here: a list over several lines has
 * the same elements in the same order, and an empty line is an empty, hence invalid, element either way.
 */

import type { Exchange, HttpRequest } from "../../http/message.ts";
import { isPublic } from "../../messages/address-ranges.ts";
import { parseAddress } from "../../messages/address-text.ts";
import { type Address } from "../../messages/address.ts";

type Fields = HttpRequest["fields"];

/** Where a request came from, if its socket tells. */
type Source = Pick<Exchange, "remoteAddress">;

/**
 * How many elements from the left are looked at. Chains of reverse proxies have a few; a header of 64 KiB has room for
 * 64,000. The bound is ours.
 */
const MOST_ELEMENTS = 64;

/** How many parts of a `Forwarded` element are looked at. RFC 7239 defines four; the bound is ours. */
const MOST_PARTS = 16;

/** Reads one trimmed element of a list. */
type ParseElement = (element: string) => Address | undefined;

/**
 * The address a client's request comes from, for statistics only: whoever sends the request can put any address into
 * its headers. The leftmost public address among the first 64 elements of `Forwarded`, else of `X-Forwarded-For`, else
 * the socket's, public or not.
 */
export function clientAddress(fields: Fields, source: Source): Address | undefined {
  return (
    leftmostPublic(fields.get("forwarded"), parseForwardedElement) ??
    leftmostPublic(fields.get("x-forwarded-for"), parseAddress) ??
    parseSocketAddress(source)
  );
}

/**
 * The address of a polling proxy, which rate limits and counts go by. Each of `trustedHops` reverse proxies in front of
 * the broker has appended the address it was called from, so the proxy's is that many places from the right. With
 * 0 hops or less the socket's address counts and no header is believed. With more hops than reverse proxies, peers
 * choose their own address.
 */
export function proxyAddress(
  fields: Fields,
  source: Source,
  trustedHops: number,
): Address | undefined {
  if (trustedHops <= 0) return parseSocketAddress(source);
  return (
    fromRight(fields.get("forwarded"), trustedHops, parseForwardedElement) ??
    fromRight(fields.get("x-forwarded-for"), trustedHops, parseAddress) ??
    parseSocketAddress(source)
  );
}

function parseSocketAddress({ remoteAddress }: Source): Address | undefined {
  return remoteAddress === undefined ? undefined : parseAddress(remoteAddress);
}

function leftmostPublic(list: string | undefined, parseElement: ParseElement): Address | undefined {
  if (list === undefined) return undefined;
  for (const element of list.split(",", MOST_ELEMENTS)) {
    const address = parseElement(element.trim());
    if (address !== undefined && isPublic(address)) return address;
  }
  return undefined;
}

/**
 * The address `place` elements from the right, 1 being the last; undefined if there is none or it is not valid. However
 * long the list is, it counts: if a peer could have it left out, the other header, or the socket, would speak for it.
 */
function fromRight(
  list: string | undefined,
  place: number,
  parseElement: ParseElement,
): Address | undefined {
  if (list === undefined) return undefined;
  let end = list.length;
  for (let n = 1; n < place; n++) {
    end = commaBefore(list, end);
    if (end === -1) return undefined;
  }
  return parseElement(list.slice(commaBefore(list, end) + 1, end).trim());
}

/** Where the last comma before `end` stands; -1 if there is none. */
function commaBefore(list: string, end: number): number {
  // A negative start would be taken for 0, and a comma there be found twice.
  return end === 0 ? -1 : list.lastIndexOf(",", end - 1);
}

/** Reads the address of the first well-formed `for=` of a `Forwarded` element. */
function parseForwardedElement(element: string): Address | undefined {
  for (const part of element.split(";", MOST_PARTS)) {
    const pair = part.trim();
    const equals = pair.indexOf("=");
    if (equals !== 3 || pair.includes("=", equals + 1)) continue;
    if (pair.slice(0, equals).toLowerCase() !== "for") continue;
    return parseAddress(unquote(pair.slice(equals + 1).trim()));
  }
  return undefined;
}

/** Removes one pair of enclosing quotes. */
function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
