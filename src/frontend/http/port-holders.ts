/** Who listens on a port of this machine, as Linux shows it in /proc. Elsewhere nobody is found. */

import { processIds, programOf, readProc, socketsOf } from "../../system/processes.ts";

export interface ListenPort {
  readonly protocol: "tcp" | "udp";
  /** Undefined: all interfaces. */
  readonly hostname: string | undefined;
  readonly port: number;
}

/** A socket that listens, in the network namespace of this process. */
export interface ListeningSocket {
  readonly inode: string;
  /** The user id of its owner. */
  readonly uid: number;
}

/** States of /proc/net/tcp (TCP_LISTEN) and /proc/net/udp (not connected), in hexadecimal. */
const STATE = { tcp: "0A", udp: "07" };

/**
 * The sockets that listen where `wanted` would listen. A host name counts as every address. An IPv6 socket on all
 * interfaces counts for IPv4, too: /proc does not show whether it is for IPv6 alone.
 */
export function listeningSockets(wanted: ListenPort): ListeningSocket[] {
  const { protocol, hostname } = wanted;
  const port = wanted.port.toString(16).toUpperCase().padStart(4, "0");
  const line = new RegExp(
    String.raw`^ *\d+: ([0-9A-F]+):${port} \S+ ${STATE[protocol]} \S+ \S+ \S+ +(\d+) +\d+ +(\d+) `,
    "gm",
  );
  const ours = hostname === undefined ? undefined : canonicalAddress(hostname);
  return ["", "6"].flatMap((family) =>
    [...readProc(`net/${protocol}${family}`).matchAll(line)]
      .filter(([, address = ""]) => {
        return ours === undefined || /^0+$/.test(address) || decodeAddress(address) === ours;
      })
      .map(([, , uid, inode = ""]) => ({ inode, uid: Number(uid) })),
  );
}

/** One way to write each address; undefined for a host name. */
function canonicalAddress(text: string): string | undefined {
  const host = text.includes(":") ? `[${text}]` : text;
  const { hostname } = new URL(`http://${host}`);
  return /^[\d.]+$|^\[/.test(hostname) ? hostname : undefined;
}

/** An address as in /proc/net: words of four bytes, each with its last byte first (on a little-endian machine). */
function decodeAddress(hex: string): string | undefined {
  const bytes = Buffer.from(hex, "hex").swap32();
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return canonicalAddress(groups.join(":"));
}

/** Names the process that has one of the sockets, for an operator. */
export function describeHolder(sockets: readonly ListeningSocket[]): string {
  const inodes = new Set(sockets.map(({ inode }) => inode));
  const pid = processIds().find((id) => socketsOf(id)?.some((inode) => inodes.has(inode)));
  if (pid === undefined) return "another process, which this user can't see";
  return `process ${pid} (${programOf(pid)})`;
}
