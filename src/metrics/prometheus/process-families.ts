/**
 * What this process takes of the machine.
 *
 * The collectors of prom-client are picked one by one: on Bun, that of the heap spaces blocks the event loop for 6 to
 * 170 ms, that of open files for 18 ms at 15,000 of them, and those of the heap, of active handles and of garbage
 * collection show figures that mean nothing.
 */

import { readdir } from "node:fs/promises";

import { Gauge, type Registry } from "prom-client";
import collectCpuTotal from "prom-client/lib/metrics/processCpuTotal.js";
import collectMaxFileDescriptors from "prom-client/lib/metrics/processMaxFileDescriptors.js";
import collectStartTime from "prom-client/lib/metrics/processStartTime.js";

import { NAMESPACE } from "./counted-families.ts";

/** CPU time, start time, memory, open files and their limit, and which build this is; names begin with `namespace`. */
export function registerProcessFamilies(
  registry: Registry,
  version: string,
  namespace = NAMESPACE,
): void {
  collectCpuTotal(registry, { prefix: namespace });
  collectStartTime(registry, { prefix: namespace });
  collectMaxFileDescriptors(registry, { prefix: namespace });

  const residentMemory = new Gauge({
    name: `${namespace}process_resident_memory_bytes`,
    help: "Resident memory size in bytes.",
    registers: [],
    collect() {
      return setOrRemove(this, () => process.memoryUsage.rss());
    },
  });
  registry.registerMetric(residentMemory);

  const openFiles = new Gauge({
    name: `${namespace}process_open_fds`,
    help: "Number of open file descriptors.",
    registers: [],
    collect() {
      return setOrRemove(this, countOpenFiles);
    },
  });
  registry.registerMetric(openFiles);

  const buildInfo = new Gauge({
    name: `${namespace}build_info`,
    help: "Always 1, with the versions of the broker and of its runtime.",
    labelNames: ["version", "bun_version"],
    registers: [registry],
  });
  buildInfo.set({ version, bun_version: Bun.version }, 1);
}

async function countOpenFiles(): Promise<number> {
  const files = await readdir("/proc/self/fd");
  // Reading the directory took one itself.
  return files.length - 1;
}

/** Shows a reading, or nothing if it can't be had: both fail when the process has run out of descriptors. */
async function setOrRemove(gauge: Gauge, read: () => number | Promise<number>): Promise<void> {
  try {
    gauge.set(await read());
  } catch {
    // The gap tells of it. A figure from before would hide it.
    gauge.remove();
  }
}
