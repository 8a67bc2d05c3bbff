/** The core: matching and counting, behind a unix socket that http-frontends connect to. */

import type { CoreOptions } from "../cli/options.ts";
import { isMessageRoute, isRefusalReason } from "../frontend/refusals.ts";
import { type BrokerSocket, serveBrokerOnSocket } from "../link/socket/socket-server.ts";
import type { Logger } from "../log/logger.ts";
import { parseFiguresPage } from "../metrics/remote-figures.ts";
import { systemClock } from "../system/system-clock.ts";
import { type Matching, startMatching } from "./broker-service.ts";
import { type Exit, type Started, started } from "./role.ts";

/** Starts a core; `exit` is called once, when it has stopped. */
export async function startCore(options: CoreOptions, log: Logger, exit: Exit): Promise<Started> {
  const matched = await startMatching(options, log);
  if (!matched.ok) return matched;
  const { matching } = matched;
  const served = await serveMatching(matching, options.socket, log);
  if (!served.ok) return served;
  log.info(`core ready on ${options.socket}`);

  return started({
    async drain() {
      await matching.retire();
      served.socket.retire();
      matching.broker.retire();
      await lastMatches(matching);
      // Waiting polls are not sent home: their frontends register them with the next core.
      await served.socket.stop();
      await matching.stop();
    },
    async reload() {
      await matching.reload();
      served.socket.announceIntervals();
    },
    exit,
    log,
  });
}

/**
 * How long a core that stops waits for the matches in flight, in ms. Most proxies that answer at all take less, and the
 * offers of the others are asked of the next core, while all that come new have to wait for it.
 */
const LAST_MATCHES = 2_000;

/** How often it looks whether there are any left, in ms. */
const LOOK_EVERY = 20;

async function lastMatches({ broker }: Matching): Promise<void> {
  const end = systemClock.now() + LAST_MATCHES;
  while (broker.load.clients > broker.waitingClients && systemClock.now() < end)
    await Bun.sleep(LOOK_EVERY);
}

/** Refusals that one count may stand for: a frontend sends each as it comes. */
const MOST_AT_ONCE = 1_000;

export type ServedMatching =
  | { readonly ok: true; readonly socket: BrokerSocket }
  | { readonly ok: false; readonly error: string };

/** Puts a matchmaker and its figures on a socket. */
export function serveMatching(
  { broker, statistics }: Matching,
  path: string,
  log: Logger,
): Promise<ServedMatching> {
  return serveBrokerOnSocket({
    path,
    broker,
    pollIntervals: () => broker.pollIntervals,
    clock: systemClock,
    async page(name) {
      const page = parseFiguresPage(name);
      if (page === undefined) return undefined;
      return Buffer.from(await statistics.prometheus.exposition(page.families));
    },
    onCount({ route, reason, n }) {
      if (!isMessageRoute(route) || !isRefusalReason(reason)) return;
      for (let i = 0; i < Math.min(n, MOST_AT_ONCE); i++)
        statistics.recorder.refused(route, reason);
    },
    onBug: (error) => log.error("a call failed", { error: String(error) }),
    report: (message) => log.info(message),
  });
}
