/**
 * The processes of this machine, as Linux shows them in /proc. One that has ended, or that this user may not look at,
 * shows nothing; where there is no /proc, none does.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The ids of all processes that this one can see. */
export function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The arguments that a process was started with, its program first. */
export function argumentsOf(pid: number): string[] {
  // The last argument ends with a zero byte, too.
  return readProc(`${pid}/cmdline`).split("\0").slice(0, -1);
}

/** The name of a process's program, cut to 15 bytes by the kernel. */
export function programOf(pid: number): string {
  return readProc(`${pid}/comm`).trim();
}

/** The working directory of a process. */
export function directoryOf(pid: number): string | undefined {
  return linkIfThere(`/proc/${pid}/cwd`);
}

/** The inodes of a process's sockets, none if it has ended; undefined if this process may not look. */
export function socketsOf(pid: number): string[] | undefined {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).flatMap((fd) => {
      return /^socket:\[(\d+)\]$/.exec(linkIfThere(`${directory}/${fd}`) ?? "")?.[1] ?? [];
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EACCES" || code === "EPERM" ? undefined : [];
  }
}

/** The line of a process in the kernel's table. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: `Z` is a process that has ended, and whose parent has not asked how. */
  readonly state: string;
  readonly parent: number;
  /** User and system time of the process and of those children that have ended and been waited for, in 1/100 s. */
  readonly ticks: number;
  /** Those of the process alone. */
  readonly ownTicks: number;
}

/** Undefined: there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  return parseProcessStat(readProc(`${pid}/stat`));
}

/** Parses /proc/PID/stat. The command's name stands in brackets and may itself hold brackets and spaces. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const nameEnd = text.lastIndexOf(")");
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(nameEnd + 2).split(" ");
  const [state = ""] = fields;
  const parent = Number(fields[1]);
  const sumFields = (from: number, to: number) =>
    fields.slice(from, to).reduce((sum, field) => sum + Number(field), 0);
  const ownTicks = sumFields(11, 13);
  const ticks = sumFields(11, 15);
  const complete = nameEnd !== -1 && fields.length >= 15;
  if (!complete || Number.isNaN(pid + parent + ticks)) return undefined;
  return { pid, state, parent, ticks, ownTicks };
}

/** How many files and sockets this process may have open; undefined if there is no limit, or none that is known. */
export function openFileLimit(): number | undefined {
  const line = /^Max open files\s+(\d+)/m.exec(readProc("self/limits"));
  return line === null ? undefined : Number(line[1]);
}

/** A file of /proc by its path there; empty if it can't be read. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}

function linkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
