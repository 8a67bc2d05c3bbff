/**
 * Ports that only processes of one broker share. The kernel lets every process of a user share a port that asks for it
 * (SO_REUSEPORT), a second broker too, and would give each a part of the connections.
 *
 * There is no lock that could outlive its owner: the listening sockets themselves say who has the port. Each process
 * looks for strangers before it listens and again afterwards. Of two that start together, the one that listened last
 * sees the other for certain. Whoever sees a stranger closes its socket, waits for a random time, and tries again.
 */

import { processIds, socketsOf } from "../../system/processes.ts";
import {
  describeHolder,
  type ListeningSocket,
  listeningSockets,
  type ListenPort,
} from "./port-holders.ts";

/** Tells whether a process may have the port as well. */
export type IsMate = (pid: number) => boolean;

/** How often a process tries to be alone with its mates. A stranger may be about to exit, or to give way. */
const ATTEMPTS = 6;

/** The longest pause between two attempts, in ms. */
const LONGEST_PAUSE = 100;

/**
 * Calls `listen`, and makes sure that nobody else has the port but mates. Without `isMate` it looks for nobody: the
 * kernel keeps others off a port that is not shared. Throws what `listen` throws, and an error that names the holder if
 * the port is in use. Blocks for half a second at most.
 */
export function claimPort<S extends { stop(timeout: number): Promise<void> }>(
  wanted: ListenPort,
  isMate: IsMate | undefined,
  listen: () => S,
): S {
  // A free port of the kernel's choice is never one that somebody shares.
  if (isMate === undefined || wanted.port === 0) return listenOn(wanted, listen);
  for (let attempt = 1; ; attempt++) {
    let strangers = strangersOn(wanted, isMate);
    if (strangers.length === 0) {
      const server = listenOn(wanted, listen);
      strangers = strangersOn(wanted, (pid) => pid === process.pid || isMate(pid));
      if (strangers.length === 0) return server;
      void server.stop(0);
    }
    if (attempt === ATTEMPTS) throw inUse(wanted, strangers);
    Bun.sleepSync(Math.random() * LONGEST_PAUSE);
  }
}

/** Throws if anybody but mates has the port. Enough for a port that is used only beside one that has been claimed. */
export function refuseStrangers(wanted: ListenPort, isMate: IsMate): void {
  const strangers = strangersOn(wanted, isMate);
  if (strangers.length > 0) throw inUse(wanted, strangers);
}

function listenOn<S>(wanted: ListenPort, listen: () => S): S {
  try {
    return listen();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const sockets = listeningSockets(wanted);
    // The runtime gives no code for a UDP port that is taken.
    const isTaken = wanted.protocol === "udp" ? sockets.length > 0 : code === "EADDRINUSE";
    throw isTaken ? inUse(wanted, sockets, error) : error;
  }
}

function inUse(
  { protocol, port }: ListenPort,
  sockets: readonly ListeningSocket[],
  cause?: unknown,
): Error {
  const name = protocol === "udp" ? "UDP port" : "port";
  return new Error(
    `${name} ${port} is in use by ${describeHolder(sockets)}: stop it or choose another port`,
    { cause },
  );
}

/**
 * Sockets on the port that belong to no mate. Only those of this user count: the kernel shares a port with no other
 * user's, so they either keep this process out or listen elsewhere.
 */
function strangersOn(wanted: ListenPort, isMate: IsMate): ListeningSocket[] {
  const uid = process.geteuid?.();
  const sockets = listeningSockets(wanted).filter((socket) => socket.uid === uid);
  if (sockets.length === 0) return [];
  const matesSockets = new Set<string>();
  for (const pid of processIds().filter(isMate)) {
    const inodes = socketsOf(pid);
    // A program with file capabilities does not show its sockets, but it is one of ours.
    if (inodes === undefined) return [];
    for (const inode of inodes) matesSockets.add(inode);
  }
  const strangers = sockets.filter(({ inode }) => !matesSockets.has(inode));
  if (strangers.length === 0) return [];
  // A mate may have closed its socket after the first look, before its own sockets were listed.
  const open = new Set(listeningSockets(wanted).map(({ inode }) => inode));
  return strangers.filter(({ inode }) => open.has(inode));
}
