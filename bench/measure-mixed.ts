/** A measurement with clients that come by every way at once. */

import { AmpWay } from "./amp-way.ts";
import { approachTo } from "./approach.ts";
import type { MethodResult, MixedResult } from "./load-result.ts";
import { everySecond, MATCHING_ADDRESSES, type Progress, type Server } from "./measure.ts";
import { Peers } from "./peers.ts";
import { findBrokerQueue, SqsWay } from "./sqs-way.ts";
import { Tally, TallySum } from "./tally.ts";
import { summarizeClients, watch } from "./window.ts";

export interface MixedLoad {
  /** How many proxies wait at any time. */
  readonly proxies: number;
  /** How many clients come by each way. */
  readonly httpClients: number;
  readonly ampClients: number;
  readonly sqsClients: number;
  /** Where SQS is on 127.0.0.1. */
  readonly sqsPort: number;
  /** Lengths of the phases in s. */
  readonly warmup: number;
  readonly seconds: number;
}

/** Measures closed loops of clients, each way counted by itself. Only what happens within the window counts. */
export async function measureMixed(
  server: Server,
  load: MixedLoad,
  progress: Progress,
): Promise<MixedResult> {
  const peers = new Peers(approachTo(server.port), MATCHING_ADDRESSES);
  const http = new Tally();
  const ampcache = new Tally();
  const sqs = new Tally();
  const all = new TallySum([peers.tally, http, ampcache, sqs]);
  let phase = "start";
  using _ = everySecond(() => progress(phase, all));
  try {
    const queueUrl = await findBrokerQueue(load.sqsPort);
    const { httpClients, ampClients, sqsClients } = load;
    await peers.startProxies(load.proxies, httpClients + ampClients + sqsClients);
    peers.startClients(httpClients, http);
    peers.startClients(ampClients, ampcache, () => new AmpWay(server.port));
    peers.startClients(sqsClients, sqs, () => new SqsWay(load.sqsPort, queueUrl));
    phase = "warm-up";
    await Bun.sleep(load.warmup * 1000);

    phase = "window";
    const window = await watch(server.pid, load.seconds, peers.tally, [http, ampcache, sqs]);

    phase = "end";
    await peers.stopClients();
    const { seconds, residentKb, peakKb, idlePolls, generatorLoad, latencies } = window;
    const methodResult = (tally: Tally, at: number): MethodResult => ({
      ...summarizeClients(latencies[at] ?? [], seconds, tally),
      errors: tally.errorCount,
    });
    const matches = latencies.reduce((sum, { length }) => sum + length, 0);
    return {
      kind: "mixed",
      seconds,
      matches,
      matchesPerSecond: matches / seconds,
      cpuPerMatch: window.serverCpu.tree / matches,
      residentKb,
      peakKb,
      idlePolls,
      generatorLoad,
      methods: {
        http: methodResult(http, 0),
        ampcache: methodResult(ampcache, 1),
        sqs: methodResult(sqs, 2),
      },
      errors: Object.fromEntries(all.errors),
    };
  } finally {
    peers.close();
  }
}
