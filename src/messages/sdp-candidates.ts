/**
 * The addresses that an offer gives away: those of its ICE candidates. They locate a client that comes through a
 * rendezvous which hides its address.
 */

import { parseBareAddress } from "./address-text.ts";
import { type Address } from "./address.ts";
import { descriptionText, type SessionDescription } from "./session-description.ts";

interface Candidate {
  readonly type: CandidateType;
  readonly priority: number;
  readonly address: Address;
}

/** Candidate types with their type preference, RFC 8445 section 5.1.2.2. */
const TYPE_PREFERENCE = { host: 126, prflx: 110, srflx: 100, relay: 0 } as const;

type CandidateType = keyof typeof TYPE_PREFERENCE;

function isCandidateType(text: string | undefined): text is CandidateType {
  return text !== undefined && Object.hasOwn(TYPE_PREFERENCE, text);
}

/** The local preference of a host with a single address, RFC 8445 section 5.1.2.1. */
const LOCAL_PREFERENCE = 65_535;

const TCP_TYPES = new Set(["active", "passive", "so"]);

/** What a line of each type may be followed by at session level, RFC 8866 section 5; a media section may begin last. */
const SESSION_ORDER = new Map([
  ["v", "o"],
  ["o", "s"],
  ["s", "iuepcbt"],
  ["i", "uepcbt"],
  ["u", "epcbt"],
  ["e", "pcbt"],
  ["p", "cbt"],
  ["c", "bt"],
  ["b", "bt"],
  ["t", "trzkam"],
  ["r", "trzkam"],
  ["z", "kam"],
  ["k", "am"],
  ["a", "am"],
]);

/** What may follow inside a media section, where the reference implementation does not insist on an order. */
const MEDIA_LINES = "icbkam";

/** The address of the candidate most likely to be the client's own; undefined if the offer has none. */
export function firstCandidateAddress(offer: SessionDescription): Address | undefined {
  const sdp = sdpOf(offer);
  return sdp === undefined ? undefined : candidateAddresses(sdp)[0];
}

/**
 * The addresses of all candidates: host, peer reflexive, server reflexive, relay; of one type the highest priority
 * first; of equal ones the later line first. Candidates that are not well-formed, or give a name instead of an address,
 * are left out; private addresses stay. A text that is not SDP has none.
 */
export function candidateAddresses(sdp: string): Address[] {
  const candidates: Candidate[] = [];
  for (const attribute of mediaAttributes(sdp)) {
    if (!attribute.startsWith("candidate:")) continue;
    const candidate = parseCandidate(attribute.slice("candidate:".length));
    if (candidate !== undefined) candidates.push(candidate);
  }
  return candidates
    .toReversed()
    .toSorted(
      (a, b) => TYPE_PREFERENCE[b.type] - TYPE_PREFERENCE[a.type] || b.priority - a.priority,
    )
    .map((candidate) => candidate.address);
}

function sdpOf(offer: SessionDescription): string | undefined {
  let description: unknown;
  try {
    description = JSON.parse(descriptionText(offer));
  } catch {
    return undefined;
  }
  if (typeof description !== "object" || description === null) return undefined;
  return "sdp" in description && typeof description.sdp === "string" ? description.sdp : undefined;
}

/** The values of all `a=` lines of media sections; none if any line of the text is out of place. */
function mediaAttributes(sdp: string): string[] {
  const lines = sdp.split("\n");
  if (lines.pop() !== "") return [];
  const attributes: string[] = [];
  let allowed = "v";
  let inMedia = false;
  for (const ended of lines) {
    const line = ended.endsWith("\r") ? ended.slice(0, -1) : ended;
    if (line === "") continue;
    const type = line.charAt(0);
    if (line.charAt(1) !== "=" || !allowed.includes(type)) return [];
    if (type === "v" && line !== "v=0") return [];
    inMedia ||= type === "m";
    allowed = inMedia ? MEDIA_LINES : (SESSION_ORDER.get(type) ?? "");
    if (inMedia && type === "a") attributes.push(line.slice(2));
  }
  return attributes;
}

/**
 * Reads what follows `candidate:` (RFC 5245 section 15.1): foundation, component, protocol, priority, address, port,
 * `typ`, type, an optional related address, and pairs of further names and values.
 */
function parseCandidate(text: string): Candidate | undefined {
  const [foundation = "", component, protocol = "", priority, host = "", port, typ, type, ...rest] =
    text.split(" ");
  if (!isFoundation(foundation) || !isTransport(protocol)) return undefined;
  if (typ !== "typ" || !isCandidateType(type) || !isPort(port)) return undefined;
  const componentId = parseDigits(component, 5);
  const givenPriority = parseDigits(priority, 10);
  if (componentId === undefined || givenPriority === undefined) return undefined;

  if (rest[0] === "raddr" && (rest[2] !== "rport" || !isPort(rest[3]))) return undefined;
  for (let i = 0; i < rest.length; i += 2) {
    const value = rest[i + 1] ?? "";
    if (rest[i] === "tcptype" && !TCP_TYPES.has(value.toLowerCase())) return undefined;
  }

  const zone = host.indexOf("%");
  const address = parseBareAddress(zone === -1 ? host : host.slice(0, zone));
  if (address === undefined) return undefined;
  // Priorities are 32 bits wide, and 0 means that none was given.
  const known = givenPriority % 2 ** 32;
  return { type, priority: known === 0 ? defaultPriority(type, componentId) : known, address };
}

/** RFC 8445 section 5.1.2.1. */
function defaultPriority(type: CandidateType, component: number): number {
  return TYPE_PREFERENCE[type] * 2 ** 24 + LOCAL_PREFERENCE * 2 ** 8 + (256 - component);
}

/** Up to 32 letters, digits, `+` and `/`. An empty foundation is against the standard, but seen. */
function isFoundation(text: string): boolean {
  return /^[A-Za-z0-9+/]{0,32}$/.test(text);
}

function isTransport(protocol: string): boolean {
  const name = protocol.slice(0, 3).toLowerCase();
  return name === "udp" || name === "tcp";
}

function isPort(text: string | undefined): boolean {
  const port = parseDigits(text, 5);
  return port !== undefined && port <= 65_535;
}

/** Reads one to `most` decimal digits. */
function parseDigits(text: string | undefined, most: number): number | undefined {
  if (text === undefined || text.length > most || !/^[0-9]+$/.test(text)) return undefined;
  return Number(text);
}
