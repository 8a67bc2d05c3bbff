/** Joining a cluster: reads its files, and puts its parts together. */

import type { Authenticator } from "@nats-io/transport-node";

import type { Clock } from "../../broker/clock.ts";
import type { LocalBroker } from "../../broker/local-broker.ts";
import type { Logger } from "../../log/logger.ts";
import { explainFileError, readRegularFile } from "../../system/named-file.ts";
import type { ClusterEvents } from "./cluster-events.ts";
import { Cluster } from "./cluster.ts";
import { Envelopes } from "./envelope.ts";

export interface ClusterStart {
  /** NATS servers, as `host:port`. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly name: string;
  readonly secretFile: string;
  readonly credentialsFile: string | undefined;
  readonly caFile: string | undefined;
  readonly broker: LocalBroker;
  readonly clock: Clock;
  readonly events: ClusterEvents;
  readonly log: Logger;
}

export interface RunningCluster {
  /** Tells the others that this node takes none of their clients any more. What is under way goes on. */
  retire(): void;
  /** Disconnects. */
  stop(): Promise<void>;
}

export type StartedCluster =
  | { readonly ok: true; readonly cluster: RunningCluster }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** The least length of a secret, in bytes. */
const MIN_SECRET = 32;

const CREDENTIALS = "--cluster-credentials";

/** Begins to connect. That no NATS server can be reached is no error: the node matches the peers that it has. */
export async function startCluster(start: ClusterStart): Promise<StartedCluster> {
  const { servers, name, broker, clock, events, log } = start;
  // Loaded only here: most brokers are in no cluster.
  const [{ NatsBus }, { parseCredentials }] = await Promise.all([
    import("./nats-bus.ts"),
    import("./credentials.ts"),
  ]);
  let secret: Buffer;
  let authenticator: Authenticator | undefined;
  let tls: { ca?: string } | undefined;
  try {
    secret = readSecret(start.secretFile);
    if (start.credentialsFile !== undefined) {
      authenticator = parseCredentials(read(CREDENTIALS, start.credentialsFile).toString());
      if (authenticator === undefined) {
        const why = "it must be a .creds file of NATS, or one line USER:PASSWORD";
        throw new UnusableFile(CREDENTIALS, start.credentialsFile, why);
      }
    }
    if (start.caFile !== undefined) tls = { ca: read("--cluster-ca", start.caFile).toString() };
    else if (start.tls) tls = {};
  } catch (error) {
    if (error instanceof UnusableFile) return { ok: false, error: error.message };
    throw error;
  }

  const bus = new NatsBus({
    servers,
    tls,
    authenticator,
    inboxPrefix: `${name}.inbox`,
    clock,
    random: Math.random,
    log,
  });
  const envelopes = new Envelopes({ secret, cluster: name, timeOfDay: Date.now });
  const cluster = new Cluster({
    bus,
    broker,
    clock,
    random: Math.random,
    envelopes,
    name,
    events,
    log,
  });
  broker.join(cluster);
  events.connected(false);
  bus.start(cluster);
  return {
    ok: true,
    cluster: {
      retire: () => cluster.retire(),
      stop: () => bus.close(),
    },
  };
}

/** A file that can't be used, as the flag that names it, its path, and why. */
class UnusableFile extends Error {
  constructor(flag: string, path: string, why: string) {
    super(`${flag} ${path}: ${why}`);
  }
}

function read(flag: string, path: string): Buffer {
  try {
    return readRegularFile(path);
  } catch (error) {
    throw new UnusableFile(flag, path, explainFileError(error, "read"));
  }
}

/** Without the white space around it, which editors and copying leave behind. */
function readSecret(path: string): Buffer {
  const flag = "--cluster-secret";
  const secret = Buffer.from(read(flag, path).toString("latin1").trim(), "latin1");
  if (secret.length >= MIN_SECRET) return secret;
  const why = `it has ${secret.length} characters and needs ${MIN_SECRET}: head -c 32 /dev/urandom | base64 > FILE`;
  throw new UnusableFile(flag, path, why);
}
