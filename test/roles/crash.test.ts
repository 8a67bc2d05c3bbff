import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { CHECKPOINT_INTERVAL } from "../../src/metrics/daily/daily-log.ts";
import { decodeDailyState } from "../../src/metrics/daily/daily-state.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess } from "../kit/broker-process.ts";

/** Milliseconds of load: a little longer than from one checkpoint to the next. */
const LOAD = CHECKPOINT_INTERVAL + 3_000;

const POLL = '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"^nobody.example$"}';

test(
  "kill -9 in the middle of a window: at most a minute of counts is missing after the restart",
  async () => {
    using files = temporaryDirectory();
    const metricsLog = join(files.path, "metrics.log");
    const sentAt: number[] = [];
    {
      await using broker = await BrokerProcess.start(`--metrics-log=${metricsLog}`);
      const end = performance.now() + LOAD;
      while (performance.now() < end) {
        const response = await fetch(`${broker.url}proxy`, { method: "POST", body: POLL });
        expect(await response.text()).toContain("incorrect relay pattern");
        sentAt.push(performance.now());
        await Bun.sleep(20);
      }
      broker.signal("SIGKILL");
      await broker.exited;
    }
    {
      await using broker = await BrokerProcess.start(`--metrics-log=${metricsLog}`);
      broker.signal("SIGTERM");
      expect(await broker.exited).toBe(0);
    }
    const state = decodeDailyState(readFileSync(`${metricsLog}.state`, "utf8"));
    const counted = state?.counts.polls.patternRejected ?? 0;
    // The checkpoint half a minute in has been made; a second is left for its writing to begin late.
    const lastCheckpoint = (sentAt[0] ?? 0) + CHECKPOINT_INTERVAL - 1_000;
    const certain = sentAt.filter((time) => time < lastCheckpoint).length;
    expect(certain).toBeGreaterThan(100);
    expect(counted).toBeGreaterThanOrEqual(certain);
    expect(counted).toBeLessThanOrEqual(sentAt.length);
  },
  LOAD + 20_000,
);
