/** One command for a machine with many cores: a core in this process, and http-frontends that share the port. */

import { availableParallelism } from "node:os";

import type { Options } from "../cli/options.ts";
import type { Logger } from "../log/logger.ts";
import { formatCertificateLine } from "../tls/certificate-pipe.ts";
import { startMatching } from "./broker-service.ts";
import { serveMatching } from "./core.ts";
import { openCertificates } from "./open-certificates.ts";
import { type Exit, type Started, started } from "./role.ts";
import { removeAbandoned, SocketDirectory, socketDirectoryParent } from "./socket-directory.ts";
import { Worker } from "./worker.ts";

/** Starts a core and its http-frontends; `exit` is called once, when all have stopped. */
export async function startWorkers(options: Options, log: Logger, exit: Exit): Promise<Started> {
  const matched = await startMatching(options, log);
  if (!matched.ok) return matched;
  const { matching } = matched;
  const { broker, statistics } = matching;

  // One source of certificates for all, which are told of each.
  const opened = openCertificates(options.transport, log, statistics.prometheus.certificates);
  if (!opened.ok) return opened;
  const { certificates } = opened;

  const parent = socketDirectoryParent();
  await removeAbandoned(parent, (reason) => {
    log.warn("what a broker that was killed left behind can't be removed", { reason });
  });
  let directory: SocketDirectory;
  try {
    directory = new SocketDirectory(parent);
  } catch (error) {
    return { ok: false, error: `no place for the socket of the workers: ${String(error)}` };
  }
  const served = await serveMatching(matching, directory.socket, log);
  if (!served.ok) {
    directory.remove();
    return served;
  }

  const count = options.workers === "auto" ? availableParallelism() : options.workers;
  const workerArguments = [
    ...["http-frontend", `--socket=${directory.socket}`, "--share-port", "--until-stdin-closes"],
    ...options.workerArguments,
    ...(certificates === undefined ? ["--disable-tls"] : []),
  ];
  log.info(`core with ${count} http-frontends`);

  const workers: Worker[] = [];
  const end = (code: number) => {
    for (const worker of workers) worker.kill();
    directory.remove();
    exit(code);
  };
  const startWorker = () => {
    const name = `worker ${workers.length + 1}`;
    const worker = new Worker(workerArguments, {
      listens() {
        // The first one tries whether there is a port to be had, so that an error is logged once.
        while (workers.length < count) startWorker();
      },
      failed(message) {
        if (message !== undefined) log.error(`${name}: ${message}`);
        end(1);
      },
      restarts(message) {
        log.warn(`${name}: ${message}`);
        statistics.prometheus.workerRestarted();
      },
    });
    workers.push(worker);
    const certificate = certificates?.source.current();
    if (certificate !== undefined) worker.tell(formatCertificateLine(certificate.tls));
  };
  startWorker();
  certificates?.source.onChange(({ tls }) => {
    const line = formatCertificateLine(tls);
    for (const worker of workers) worker.tell(line);
  });

  return started({
    async drain() {
      const retired = Promise.all([certificates?.close(), matching.retire()]);
      // The workers send their proxies home and finish their clients, for which they need the core.
      await Promise.all(workers.map((worker) => worker.stop(options.drainSpread)));
      await broker.drain();
      await retired;
      await served.socket.stop();
      await matching.stop();
    },
    async reload() {
      const reloaded = certificates?.source.reload();
      if (reloaded?.ok === false) log.error(`SIGHUP: ${reloaded.error}`);
      await matching.reload();
      served.socket.announceIntervals();
    },
    exit: end,
    log,
  });
}
