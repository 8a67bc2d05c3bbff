/** Which connections are a process's own, by what the kernel tells. */

import { readProc, socketsOf } from "../../src/system/processes.ts";

/** What tells a connection of the loopback interface from any other, at either end. */
export function connectionName(serverPort: number, clientPort: number): string {
  return `${serverPort}<${clientPort}`;
}

/** The names of the TCP connections over IPv4 that a server, a process of the same user, holds. */
export function connectionsOf(pid: number): ReadonlySet<string> {
  const inodes = new Set(socketsOf(pid));
  const names = new Set<string>();
  for (const line of readProc("net/tcp").trim().split("\n").slice(1)) {
    const [, local = "", remote = "", , , , , , , inode] = line.trim().split(/ +/);
    const peer = portOf(remote);
    // A socket that listens has none.
    if (peer !== 0 && inodes.has(inode ?? "")) names.add(connectionName(portOf(local), peer));
  }
  return names;
}

/** The port of an address as the kernel writes it, "0100007F:1F90". */
function portOf(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
}
