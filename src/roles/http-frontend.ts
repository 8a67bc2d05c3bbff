/** The http-frontend: TLS, HTTP and AMP; every message goes to the core. */

import type { HttpFrontendOptions } from "../cli/options.ts";
import { SocketBroker } from "../link/socket/socket-broker.ts";
import type { Logger } from "../log/logger.ts";
import { RemoteFigures } from "../metrics/remote-figures.ts";
import { systemClock } from "../system/system-clock.ts";
import { startListening } from "./http-service.ts";
import { type Exit, type Started, started } from "./role.ts";
import { isFrontendOf } from "./same-core.ts";
import { sendSignsOfLife } from "./sign-of-life.ts";

/** Starts an http-frontend, with or without a core; `exit` is called once, when it has stopped. */
export function startHttpFrontend(options: HttpFrontendOptions, log: Logger, exit: Exit): Started {
  const broker = new SocketBroker({
    path: options.socket,
    clock: systemClock,
    random: Math.random,
    report: (message) => log.info(message),
  });
  const figures = new RemoteFigures(broker);
  let sendSign = () => {};
  const listened = startListening({
    options,
    ...(options.sharePort ? { isMate: (pid) => isFrontendOf(pid, options.socket) } : {}),
    destination: {
      broker,
      refusals: { refused: (route, reason) => broker.count({ route, reason, n: 1 }) },
    },
    prometheus: figures,
    connectionEvents: figures.connections,
    certificateEvents: figures.certificates,
    log,
    onListens: () => sendSign(),
    onLost: () => exit(1),
  });
  if (!listened.ok) {
    broker.close();
    return listened;
  }
  const { listening } = listened;

  if (options.untilStdinCloses) sendSign = sendSignsOfLife(() => listening.url !== undefined);
  return started({
    listening,
    async drain() {
      const retired = listening.retire();
      await broker.drain();
      await retired;
      await listening.stop();
      broker.close();
      figures.close();
    },
    async reload() {
      listening.reload();
    },
    exit,
    log,
  });
}
