/** Everything that is counted, and the files it goes to. */

import packageJson from "../../package.json" with { type: "json" };
import type { Clock } from "../broker/clock.ts";
import type { CountryFilePaths } from "../geoip/country-files.ts";
import { UNKNOWN_COUNTRY } from "../geoip/geoip.ts";
import type { Logger } from "../log/logger.ts";
import type { Address } from "../messages/address.ts";
import { explainFileError } from "../system/named-file.ts";
import { CountryLookup, type Loaded } from "./country-lookup.ts";
import { DailyCounters } from "./daily/daily-counters.ts";
import { openDailyFiles } from "./daily/daily-files.ts";
import { DailyLog } from "./daily/daily-log.ts";
import { DistinctAddresses } from "./distinct/distinct-addresses.ts";
import { HmacAddressHasher } from "./distinct/hmac-address-hasher.ts";
import { JournalFiles } from "./distinct/journal-files.ts";
import { systemClock as localClock } from "./distinct/local-clock.ts";
import type { Load } from "./prometheus/load-families.ts";
import { PrometheusMetrics } from "./prometheus/prometheus-metrics.ts";
import { Recorder } from "./recorder.ts";

export interface StatisticsParts {
  /** File of the daily report; undefined: standard output. */
  readonly metricsLog: string | undefined;
  /** Where the journals of distinct addresses begin; undefined: there are none. */
  readonly ipCountPrefix: string | undefined;
  /** Milliseconds between two lines of a journal. */
  readonly ipCountInterval: number;
  readonly countryFiles: CountryFilePaths | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked at every scrape. */
  readonly load: () => Load;
}

export interface Statistics {
  /** Told of everything that happens. */
  readonly recorder: Recorder;
  readonly prometheus: PrometheusMetrics;
  /** The country of an address; undefined: it is unknown. */
  countryOf(address: Address): string | undefined;
  /** Reads the country files again; an error leaves those in use as they are. */
  reloadCountries(): Promise<Loaded>;
  /** Writes everything that is in memory only. Never rejects. */
  stop(): Promise<void>;
}

export type StartedStatistics =
  | { readonly ok: true; readonly statistics: Statistics }
  | { readonly ok: false; readonly error: string };

/** Opens the files and begins to count; every file that can't be used is an error. */
export async function startStatistics(parts: StatisticsParts): Promise<StartedStatistics> {
  const { metricsLog, ipCountPrefix, ipCountInterval, clock, log } = parts;
  const countries = new CountryLookup(parts.countryFiles, log);
  const loaded = await countries.load();
  if (!loaded.ok) return loaded;

  const daily = new DailyCounters();
  const files = await openDailyFiles(metricsLog).catch(
    (error: unknown) => `--metrics-log ${metricsLog}: ${explainFileError(error, "write")}`,
  );
  if (typeof files === "string") return { ok: false, error: files };
  if (metricsLog !== undefined && files.state === undefined) {
    log.info("the daily counters do not survive a restart: --metrics-log is no regular file");
  }
  const dailyLog = new DailyLog({
    ...files,
    counters: daily,
    clock,
    wallClock: { now: () => new Date() },
    onTrouble: (message) => log.warn(message),
  });
  let journals: JournalFiles | undefined;
  try {
    journals =
      ipCountPrefix === undefined
        ? undefined
        : await JournalFiles.create(ipCountPrefix, localClock);
  } catch (error) {
    const why = explainFileError(error, "write");
    return { ok: false, error: `--ip-count-prefix ${ipCountPrefix}: ${why}` };
  }
  await dailyLog.start();

  const distinct =
    journals === undefined
      ? undefined
      : new DistinctAddresses({
          hasher: new HmacAddressHasher(),
          journals,
          clock: localClock,
          onOutage: (error) =>
            log.error("the journals of distinct addresses can't be written", {
              error: String(error),
            }),
        });
  let cancelChunk = () => {};
  const writeChunkLater = () => {
    cancelChunk = clock.callAt(clock.now() + Math.max(ipCountInterval, SHORTEST_CHUNK), () => {
      void distinct?.writeChunk();
      writeChunkLater();
    });
  };
  if (distinct !== undefined) writeChunkLater();

  const prometheus = new PrometheusMetrics({ version: packageJson.version, load: parts.load });
  const recorder = new Recorder({
    daily,
    prometheus,
    distinct,
    countryOf: (address) => countries.countryOf(address),
  });
  return {
    ok: true,
    statistics: {
      recorder,
      prometheus,
      countryOf(address) {
        const country = countries.countryOf(address);
        return country === UNKNOWN_COUNTRY || country === "" ? undefined : country;
      },
      reloadCountries: () => countries.load(),
      async stop() {
        cancelChunk();
        prometheus.close();
        await dailyLog.stop();
        await distinct?.writeChunk();
        await journals?.close().catch((error: unknown) => {
          log.error("a journal can't be closed", { error: String(error) });
        });
      },
    },
  };
}

/** Milliseconds; a line of a journal can take a third of a megabyte. */
const SHORTEST_CHUNK = 1_000;
