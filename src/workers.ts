/** One command for a machine with many cores: a core in this process, and http-frontends that share the port. */

import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

import { serveMatching } from "./core.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { Logger } from "./log/logger.ts";
import { startMatching } from "./matching.ts";
import type { Options } from "./options.ts";
import type { Exit, Started } from "./running.ts";
import type { Certificate } from "./tls/certificate.ts";
import { openCertificates } from "./tls/open-certificates.ts";
import { Worker } from "./worker.ts";

/** Starts a core and its http-frontends; `exit` is called once, when all have stopped. */
export async function startWorkers(options: Options, log: Logger, exit: Exit): Promise<Started> {
  const matched = await startMatching(options, log);
  if (!matched.ok) return matched;
  const { matching } = matched;
  const { broker, statistics } = matching;

  // Only this user can look in: here are the socket, and the certificate with its key.
  const directory = mkdtempSync(join(tmpdir(), "snowflake-broker-"));
  const socket = join(directory, "core.sock");
  const served = await serveMatching(matching, socket, log);
  if (!served.ok) return served;

  // One source of certificates for all: what it gives is put where the workers look for it, and see it change.
  const opened = openCertificates(options.transport, log);
  if (!opened.ok) return opened;
  const { certificates } = opened;
  const certificateFiles = {
    cert: join(directory, "certificate.pem"),
    key: join(directory, "key.pem"),
  };
  const publish = ({ tls }: Certificate) => {
    replaceFile(certificateFiles.key, tls.key);
    replaceFile(certificateFiles.cert, tls.cert);
  };

  const count = options.workers === "auto" ? availableParallelism() : options.workers;
  const transport =
    certificates === undefined
      ? ["--disable-tls"]
      : [`--cert=${certificateFiles.cert}`, `--key=${certificateFiles.key}`];
  const workerArguments = [
    ...["http-frontend", `--socket=${socket}`, "--share-port", "--until-stdin-closes"],
    ...[...options.workerArguments, ...transport],
  ];
  let workers: readonly Worker[] = [];
  const startAll = () => {
    workers = Array.from(
      { length: count },
      (_, i) =>
        new Worker(workerArguments, (message) => {
          log.warn(`worker ${i + 1}: ${message}`);
          statistics.prometheus.workerRestarted();
        }),
    );
    log.info(`core with ${count} http-frontends`);
  };

  const first = certificates?.source.current();
  if (first !== undefined) publish(first);
  if (certificates === undefined || first !== undefined) startAll();
  certificates?.source.onChange((certificate) => {
    publish(certificate);
    if (workers.length === 0) startAll();
  });

  const lifeCycle = new LifeCycle({
    async drain() {
      const retired = Promise.all([certificates?.close(), matching.retire()]);
      // The workers send their proxies home and finish their clients, for which they need the core.
      await Promise.all(workers.map((worker) => worker.stop()));
      await broker.drain();
      await retired;
      await served.socket.stop();
      await statistics.stop();
    },
    exit(code) {
      for (const worker of workers) worker.kill();
      // Also after a second signal: no key is left behind.
      rmSync(directory, { recursive: true, force: true });
      exit(code);
    },
    report: (message) => log.info(message),
  });
  lifeCycle.ready();
  return {
    ok: true,
    running: {
      url: undefined,
      stop: (reason) => lifeCycle.stop(reason),
      async reload() {
        const reloaded = certificates?.source.reload();
        if (reloaded?.ok === false) log.error(`SIGHUP: ${reloaded.error}`);
        await matching.reload();
      },
    },
  };
}

/** Whoever reads the file meanwhile reads the old one or the new one, never half of one. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
