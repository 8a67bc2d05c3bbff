/**
 * The header that a load balancer puts before what its peer sends, to name that peer: the PROXY protocol of HAProxy,
 * versions 1 (a line of text) and 2 (binary), as its specification (proxy-protocol.txt) has them.
 */

import { isIPv4, isIPv6 } from "node:net";

export interface ProxyHeader {
  /** The peer's address without port; undefined: the header names none, and the socket's own counts. */
  readonly source: string | undefined;
  /** Bytes of the header. What follows is the peer's. */
  readonly length: number;
}

/** The bytes of a line, its end included, that the specification allows. */
const LINE_BYTES = 107;

/**
 * Bytes of a binary header. The longest addresses take 232. Load balancers add an identifier or a certificate's name;
 * the format would allow 64 KiB.
 */
export const HEADER_BYTES = 4096;

const LINE_START = "PROXY ";
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** Bytes of a binary header before its addresses. */
const FIXED_BYTES = 16;

/** The families of a binary header and the bytes of both addresses with their ports. */
const UNSPECIFIED = 0;
const IPV4 = 1;
const IPV6 = 2;
const ADDRESS_BYTES = [0, 12, 36, 216] as const;

/** The protocols of a binary header: none, a stream or datagrams. */
const PROTOCOLS = 3;

/** Reads the header at the start of these bytes. What is invalid stays so whatever follows. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | "incomplete" | "invalid" {
  const start = textOf(bytes.subarray(0, LINE_BYTES));
  if (start.startsWith(LINE_START)) return readLine(start);
  if (start.startsWith(SIGNATURE)) return readBinary(bytes);
  return LINE_START.startsWith(start) || SIGNATURE.startsWith(start) ? "incomplete" : "invalid";
}

function readLine(start: string): ProxyHeader | "incomplete" | "invalid" {
  const end = start.indexOf("\r\n");
  if (end === -1) return start.length < LINE_BYTES ? "incomplete" : "invalid";
  const length = end + 2;
  const [, family, ...fields] = start.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { source: undefined, length };
  const [source = "", destination = "", ...ports] = fields;
  const isAddress = family === "TCP4" ? isIPv4 : isUnzonedIpv6;
  const isValid =
    (family === "TCP4" || family === "TCP6") &&
    isAddress(source) &&
    isAddress(destination) &&
    ports.length === 2 &&
    ports.every(isPort);
  return isValid ? { source, length } : "invalid";
}

function readBinary(bytes: Uint8Array): ProxyHeader | "incomplete" | "invalid" {
  if (bytes.length < FIXED_BYTES) return "incomplete";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command = view.getUint8(12);
  const family = view.getUint8(13) >> 4;
  const protocol = view.getUint8(13) & 0x0f;
  const length = FIXED_BYTES + view.getUint16(14);
  const isLocal = command === 0x20;
  if ((!isLocal && command !== 0x21) || length > HEADER_BYTES) return "invalid";
  const addressBytes = ADDRESS_BYTES[family];
  // The load balancer's own connections, such as health checks, name nobody, whatever else they say.
  if (!isLocal) {
    if (addressBytes === undefined || protocol >= PROTOCOLS) return "invalid";
    if (length < FIXED_BYTES + addressBytes) return "invalid";
  }
  if (bytes.length < length) return "incomplete";
  if (isLocal || protocol === UNSPECIFIED) return { source: undefined, length };
  if (family === IPV4) {
    return { source: bytes.subarray(FIXED_BYTES, FIXED_BYTES + 4).join("."), length };
  }
  if (family === IPV6) {
    const group = (_: unknown, n: number) => view.getUint16(FIXED_BYTES + 2 * n).toString(16);
    return { source: Array.from({ length: 8 }, group).join(":"), length };
  }
  return { source: undefined, length };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** A zone means something only on the machine that wrote it. */
function isUnzonedIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

/** Whether it is a port without leading zeros. */
function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535;
}
