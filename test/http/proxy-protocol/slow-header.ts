/**
 * A second reader of PROXY headers, for comparison: it takes them step by step as the specification describes them, and
 * is slow.
 */

import { HEADER_BYTES, type ProxyHeader } from "../../../src/http/proxy-protocol/header.ts";

type Reading = ProxyHeader | "incomplete" | "invalid";

const SIGNATURE = [..."\r\n\r\n\0\r\nQUIT\n"].map((char) => char.charCodeAt(0));

/** What is in the bytes that a connection begins with. An IPv6 address is as eight groups. */
export function readHeaderSlowly(bytes: readonly number[]): Reading {
  const text = String.fromCharCode(...bytes);
  if (SIGNATURE.every((byte, at) => at >= bytes.length || bytes[at] === byte)) {
    return bytes.length < 16 ? "incomplete" : readBinary(bytes);
  }
  for (const [at, char] of [..."PROXY "].entries()) {
    if (at === text.length) return "incomplete";
    if (text[at] !== char) return "invalid";
  }
  return readLine(text);
}

function readLine(text: string): Reading {
  const end = text.indexOf("\r\n");
  // A line of more than 107 bytes can't end any more.
  if (end < 0) return text.length >= 107 ? "invalid" : "incomplete";
  if (end + 2 > 107) return "invalid";
  const length = end + 2;
  const line = text.slice(0, end);
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { source: undefined, length };
  const parts = /^PROXY (TCP4|TCP6) ([^ ]+) ([^ ]+) (\d{1,5}) (\d{1,5})$/.exec(line);
  if (parts === null) return "invalid";
  const [, family, source = "", destination = "", ...ports] = parts;
  const isAddress = (address: string) => (family === "TCP4" ? isIpv4(address) : isIpv6(address));
  const isPort = (port: string) => String(Number(port)) === port && Number(port) < 65_536;
  const isValid = isAddress(source) && isAddress(destination) && ports.every(isPort);
  return isValid ? { source, length } : "invalid";
}

function readBinary(bytes: readonly number[]): Reading {
  const [command = 0, kind = 0, high = 0, low = 0] = bytes.slice(12);
  const length = 16 + 256 * high + low;
  if (command !== 0x20 && command !== 0x21) return "invalid";
  if (length > HEADER_BYTES) return "invalid";
  const isLocal = command === 0x20;
  const family = ["none", "IPv4", "IPv6", "unix"][Math.floor(kind / 16)];
  const protocol = ["none", "stream", "datagram"][kind % 16];
  const addressBytes = { none: 0, IPv4: 12, IPv6: 36, unix: 216 }[family ?? ""] ?? 0;
  if (!isLocal && (family === undefined || protocol === undefined)) return "invalid";
  if (!isLocal && length - 16 < addressBytes) return "invalid";
  if (bytes.length < length) return "incomplete";
  const address = bytes.slice(16, length);
  if (isLocal || protocol === "none") return { source: undefined, length };
  if (family === "IPv4") return { source: address.slice(0, 4).join("."), length };
  if (family !== "IPv6") return { source: undefined, length };
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) =>
    (256 * (address[at] ?? 0) + (address[at + 1] ?? 0)).toString(16),
  );
  return { source: groups.join(":"), length };
}

function isIpv4(text: string): boolean {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => Number(octet) < 256 && isDecimal(octet));
}

function isDecimal(text: string): boolean {
  return /^\d{1,3}$/.test(text) && String(Number(text)) === text;
}

/** Eight groups of up to four hexadecimal digits; `::` stands for one or more of them, an IPv4 address for the last two. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1) ?? "";
  const endsInIpv4 = last.includes(".") && halves.at(-1) !== "";
  if (endsInIpv4 && !isIpv4(groups.pop() ?? "")) return false;
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const count = groups.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}
