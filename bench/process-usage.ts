/** CPU time and memory of a server: the whole tree of its processes, as Linux tells it in /proc. */

import {
  processIds,
  type ProcessStat,
  readProc,
  readProcessStat,
} from "../src/system/processes.ts";

/** /proc counts CPU time in units that are 1/100 s on every Linux, whatever the kernel's own tick. */
const MICROSECONDS_PER_TICK = 10_000;

export interface MemoryStatus {
  /** Resident memory in KB (1024 bytes). */
  readonly residentKb: number;
  /** The most that was ever resident, in KB. */
  readonly peakKb: number;
}

/** Parses /proc/PID/status. Undefined for a process that has ended but was not waited for: it has no memory. */
export function parseMemoryStatus(text: string): MemoryStatus | undefined {
  const resident = /^VmRSS:\s*(\d+) kB$/m.exec(text)?.[1];
  const peak = /^VmHWM:\s*(\d+) kB$/m.exec(text)?.[1];
  if (resident === undefined || peak === undefined) return undefined;
  return { residentKb: Number(resident), peakKb: Number(peak) };
}

/** The process `root` and all that descend from it. */
export function selectTree(all: readonly ProcessStat[], root: number): ProcessStat[] {
  const byParent = Map.groupBy(all, (entry) => entry.parent);
  const tree = all.filter((entry) => entry.pid === root);
  for (const member of tree) tree.push(...(byParent.get(member.pid) ?? []));
  return tree;
}

/** CPU time in µs. */
export interface CpuTime {
  /** Of a process and all that descend from it. */
  readonly tree: number;
  /** Of the process alone. */
  readonly first: number;
}

/** CPU time that `root` and its descendants have used so far. Throws if the process is gone. */
export function readCpuTime(root: number): CpuTime {
  const tree = readTree(root);
  const sum = (ticksOf: (entry: ProcessStat) => number, entries: readonly ProcessStat[]) =>
    entries.reduce((total, entry) => total + ticksOf(entry), 0) * MICROSECONDS_PER_TICK;
  return {
    tree: sum(({ ticks }) => ticks, tree),
    first: sum(
      ({ ownTicks }) => ownTicks,
      tree.filter(({ pid }) => pid === root),
    ),
  };
}

/** Memory of the tree of `root`; the peak is the sum of each process's own. Throws if the process is gone. */
export function readMemory(root: number): MemoryStatus {
  let residentKb = 0;
  let peakKb = 0;
  for (const { pid } of readTree(root)) {
    const status = parseMemoryStatus(readProc(`${pid}/status`));
    residentKb += status?.residentKb ?? 0;
    peakKb += status?.peakKb ?? 0;
  }
  return { residentKb, peakKb };
}

function readTree(root: number): ProcessStat[] {
  const all = processIds().flatMap((pid) => readProcessStat(pid) ?? []);
  const tree = selectTree(all, root);
  if (tree.length === 0) throw new Error(`process ${root} is gone`);
  return tree;
}
