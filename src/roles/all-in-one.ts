/** The default role: everything in one process. */

import type { Options } from "../cli/options.ts";
import type { Logger } from "../log/logger.ts";
import { startMatching } from "./broker-service.ts";
import { startListening } from "./http-service.ts";
import { type Exit, type Started, started } from "./role.ts";

/** Starts the broker; `exit` is called once, when it has stopped. */
export async function startAllInOne(options: Options, log: Logger, exit: Exit): Promise<Started> {
  const matched = await startMatching(options, log);
  if (!matched.ok) return matched;
  const { matching } = matched;
  const { broker, statistics } = matching;

  const listened = startListening({
    options,
    destination: { broker, refusals: statistics.recorder },
    prometheus: statistics.prometheus,
    connectionEvents: statistics.prometheus.connections,
    certificateEvents: statistics.prometheus.certificates,
    log,
    onLost: () => exit(1),
  });
  if (!listened.ok) return listened;
  const { listening } = listened;

  return started({
    listening,
    async drain() {
      const retired = Promise.all([listening.retire(), matching.retire()]);
      await broker.drain();
      await retired;
      await listening.stop();
      await matching.stop();
    },
    async reload() {
      listening.reload();
      await matching.reload();
    },
    exit,
    log,
  });
}
