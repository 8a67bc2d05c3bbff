/** The options of a cluster: their part of the table, and what a command line asks for. */

import { quote, STRING } from "./go-flag.ts";
import { Option } from "./option.ts";
import { type Checked, isSet, refuse } from "./transport-options.ts";

/** A cluster that this node is to join. */
export interface ClusterOptions {
  /** NATS servers, as `host:port`; one at least. */
  readonly servers: readonly string[];
  /** Whether they must be reached over TLS. */
  readonly tls: boolean;
  /** What the subjects begin with. */
  readonly name: string;
  readonly secretFile: string;
  readonly credentialsFile: string | undefined;
  /** Root certificates for TLS, instead of the usual ones. */
  readonly caFile: string | undefined;
}

/** The port of NATS servers, if none is given. */
const NATS_PORT = 4222;

/** They begin with `cluster`, without which the others are of no use. */
export function clusterOptions() {
  return {
    cluster: new Option({
      name: "cluster",
      type: STRING,
      default: "",
      value: "URLS",
      group: "cluster",
      help: "comma-separated NATS servers to reach the other nodes by, such as nats://HOST:4222, or tls://HOST:4222 for TLS",
    }),
    clusterSecret: new Option({
      name: "cluster-secret",
      type: STRING,
      default: "",
      value: "FILE",
      group: "cluster",
      help: "32 characters or more that all nodes have and nobody else: seals what they say",
    }),
    clusterName: new Option({
      name: "cluster-name",
      type: STRING,
      default: "snowflake",
      value: "NAME",
      group: "cluster",
      help: "what the cluster's subjects begin with, the same on every node",
    }),
    clusterCredentials: new Option({
      name: "cluster-credentials",
      type: STRING,
      default: "",
      value: "FILE",
      group: "cluster",
      help: "a .creds file of NATS, or one line USER:PASSWORD",
    }),
    clusterCa: new Option({
      name: "cluster-ca",
      type: STRING,
      default: "",
      value: "FILE",
      group: "cluster",
      help: "root certificates (PEM) of the NATS servers, instead of the usual ones; needs tls://",
    }),
  };
}

/** The cluster that was asked for; undefined: none. */
export function chooseCluster(
  options: ReturnType<typeof clusterOptions>,
): Checked<ClusterOptions | undefined> {
  const { cluster, clusterSecret, clusterName, clusterCredentials, clusterCa } = options;
  if (cluster.value === "") {
    for (const option of [clusterSecret, clusterName, clusterCredentials, clusterCa]) {
      if (isSet(option)) return refuse(`--${option.name} is of no use without --cluster`);
    }
    return { ok: true, value: undefined };
  }
  if (clusterSecret.value === "") {
    return refuse(
      "--cluster needs --cluster-secret, a file that every node has: head -c 32 /dev/urandom | base64 makes one",
    );
  }
  if (!/^[\w-]{1,64}$/.test(clusterName.value)) {
    return refuse(
      `invalid value ${quote(clusterName.value)} for --cluster-name: 1 to 64 letters, digits, _ and -`,
    );
  }
  const servers: string[] = [];
  const protocols = new Set<string>();
  for (const text of cluster.value.split(",")) {
    const url = URL.parse(text.trim());
    const fault = faultOf(url);
    if (url === null || fault !== undefined) {
      // A password may be in it.
      return refuse(`invalid value for --cluster: a URL ${fault ?? "is none"}`);
    }
    protocols.add(url.protocol);
    servers.push(`${url.hostname}:${url.port || NATS_PORT}`);
  }
  if (protocols.size > 1) {
    return refuse("--cluster mixes nats:// and tls://: give all servers by one of them");
  }
  const tls = protocols.has("tls:");
  if (clusterCa.value !== "" && !tls) {
    return refuse("--cluster-ca needs TLS: write tls:// instead of nats:// in --cluster");
  }
  return {
    ok: true,
    value: {
      servers,
      tls,
      name: clusterName.value,
      secretFile: clusterSecret.value,
      credentialsFile: clusterCredentials.value || undefined,
      caFile: clusterCa.value || undefined,
    },
  };
}

function faultOf(url: URL | null): string | undefined {
  if (url === null || !["nats:", "tls:"].includes(url.protocol) || url.hostname === "") {
    return "must be nats://HOST:PORT or tls://HOST:PORT";
  }
  if (url.username !== "" || url.password !== "") {
    return "has a user or a password, which every user of this machine can see: use --cluster-credentials";
  }
  if (!["", "/"].includes(url.pathname) || url.search !== "" || url.hash !== "") {
    return "has more than a host and a port";
  }
  return undefined;
}
