/** The files that may be read again while the broker runs: bridges and poll intervals. */

import { type BridgeList, DEFAULT_BRIDGES, parseBridgeList } from "../broker/bridge-list.ts";
import {
  DEFAULT_POLL_INTERVALS,
  parsePollIntervals,
  type PollIntervals,
} from "../broker/policy/poll-intervals.ts";
import { explainFileError, readRegularFile } from "../system/named-file.ts";

/** Where the files are; undefined: not configured. */
export interface ConfigurationPaths {
  readonly bridgeListPath: string | undefined;
  readonly pollIntervalFilepath: string | undefined;
}

/** What the files say. */
export interface Configuration {
  readonly bridges: BridgeList;
  readonly pollIntervals: PollIntervals;
}

/** What holds where no file is configured. */
export const DEFAULT_CONFIGURATION: Configuration = {
  bridges: DEFAULT_BRIDGES,
  pollIntervals: DEFAULT_POLL_INTERVALS,
};

export type ReadConfiguration =
  | { readonly ok: true; readonly configuration: Configuration }
  /** `error` names the file and what is wrong with it. */
  | { readonly ok: false; readonly error: string };

/** Reads all files, or none: one that can't be used leaves everything as it is in `current`. */
export function readConfiguration(
  paths: ConfigurationPaths,
  current: Configuration,
): ReadConfiguration {
  let { bridges, pollIntervals } = current;
  if (paths.bridgeListPath !== undefined) {
    const file = readText(paths.bridgeListPath);
    if (!file.ok) {
      return { ok: false, error: `--bridge-list-path ${paths.bridgeListPath}: ${file.error}` };
    }
    const parsed = parseBridgeList(file.text);
    if (!parsed.ok) {
      return { ok: false, error: `bridge list ${paths.bridgeListPath}: ${parsed.error}` };
    }
    bridges = parsed.bridges;
  }
  if (paths.pollIntervalFilepath !== undefined) {
    const file = readText(paths.pollIntervalFilepath);
    if (!file.ok) {
      const flag = `--poll-interval-filepath ${paths.pollIntervalFilepath}`;
      return { ok: false, error: `${flag}: ${file.error}` };
    }
    const parsed = parsePollIntervals(file.text, current.pollIntervals);
    if (!parsed.ok) {
      return { ok: false, error: `poll intervals ${paths.pollIntervalFilepath}: ${parsed.error}` };
    }
    pollIntervals = parsed.intervals;
  }
  return { ok: true, configuration: { bridges, pollIntervals } };
}

type ReadText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string };

/** Reads a text file; the error does not name its path. */
function readText(path: string): ReadText {
  try {
    return { ok: true, text: readRegularFile(path).toString() };
  } catch (error) {
    return { ok: false, error: explainFileError(error, "read") };
  }
}
