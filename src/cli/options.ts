/** What the program is told on its command line, read once into values that can't be wrong. */

import type { MatchingPolicy } from "../broker/policy/matching-policy.ts";
import type { CountryFilePaths } from "../geoip/country-files.ts";
import type { ListenAddress, Transport } from "../tls/transport.ts";
import { chooseCluster, type ClusterOptions } from "./cluster-options.ts";
import { parseGoFlags, quote } from "./go-flag.ts";
import { formatConfig, formatUsage } from "./help.ts";
import { nearestWord } from "./nearest-word.ts";
import { type OptionTable, optionTable } from "./option-table.ts";
import { COMMAND_WORDS, type Role } from "./option.ts";
import { choosePolicy } from "./policy-options.ts";
import { type Checked, chooseTransport, parseListenAddress, refuse } from "./transport-options.ts";

/** A queue of Amazon SQS. */
export interface SqsQueue {
  readonly queueName: string;
  readonly region: string;
  /** Names of AWS profiles; an empty name is the default profile. */
  readonly profiles: readonly string[];
}

/** What every role is told of its log. */
export interface LogOptions {
  readonly logFormat: "text" | "json";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly unsafeLogging: boolean;
}

/** What matching goes by. A path or name that may be left out is undefined, never empty. */
export interface MatchingOptions {
  readonly bridgeListPath: string | undefined;
  /** As given, even if empty; undefined: not given, so a proxy must admit the host of every bridge. */
  readonly allowedRelayPattern: string | undefined;
  readonly pollIntervalFilepath: string | undefined;
  readonly policy: MatchingPolicy;
  readonly maxWaitingProxies: number;
  readonly maxClients: number;
  readonly maxRateLimitEntries: number;
  /** Bits of an IPv6 address that limits go by. */
  readonly ipv6Prefix: number;
  readonly metricsLog: string | undefined;
  /** Where the countries of addresses are; undefined: not told. */
  readonly countryFiles: CountryFilePaths | undefined;
  readonly ipCountPrefix: string | undefined;
  /** Milliseconds. */
  readonly ipCountInterval: number;
  /** The queue that clients may write to; undefined: there is none, as name and region were not both given. */
  readonly sqs: SqsQueue | undefined;
  /** The cluster to join; undefined: none. */
  readonly cluster: ClusterOptions | undefined;
}

/** What listening goes by. */
export interface ListeningOptions {
  readonly transport: Transport;
  readonly addr: ListenAddress;
  /** Whether HTTP/3 is served as well, on the UDP port of the same number; never without TLS. */
  readonly http3: boolean;
  /** Connections over TCP at once; undefined: as many as the limit of open files leaves. */
  readonly maxConnections: number | undefined;
  /** Whether each connection begins with a PROXY header; never with HTTP/3. */
  readonly proxyProtocol: boolean;
  /** Milliseconds that a connection may idle. */
  readonly idleTimeout: number;
  /** Milliseconds over which idle connections are closed at the end. */
  readonly drainSpread: number;
  /** Zero and below: no reverse proxy is believed. */
  readonly trustedHops: number;
  /** The file that `/metrics` shows; undefined: none. */
  readonly metricsLog: string | undefined;
  /** Whether others may listen on the same port. */
  readonly sharePort: boolean;
}

/** What the default role is told. */
export interface Options extends LogOptions, MatchingOptions, ListeningOptions {
  /** How many http-frontends run beside a core; 0: none, one process does all; auto: one a CPU. */
  readonly workers: number | "auto";
  /** The arguments from which such an http-frontend gets the same listening and log options. */
  readonly workerArguments: readonly string[];
}

/** What a core is told. */
export interface CoreOptions extends LogOptions, MatchingOptions {
  readonly socket: string;
}

/** What an http-frontend is told. */
export interface HttpFrontendOptions extends LogOptions, ListeningOptions {
  readonly socket: string;
  /** Whether it stops when standard input closes, and at no signal. */
  readonly untilStdinCloses: boolean;
}

/** What to run, and with which options. */
export type RoleOptions =
  | { readonly role: "all-in-one"; readonly options: Options }
  | { readonly role: "core"; readonly options: CoreOptions }
  | { readonly role: "http-frontend"; readonly options: HttpFrontendOptions };

/** What the command line asks for. Texts end with a line feed; messages and warnings are one line without. */
export type CommandLine =
  | { readonly kind: "run"; readonly run: RoleOptions; readonly warnings: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "print-config"; readonly text: string; readonly warnings: readonly string[] }
  /** `exitCode` is that of a wrong use; files that can't be read end the start elsewhere, with 1. */
  | { readonly kind: "error"; readonly message: string; readonly exitCode: 2 };

/** Reads the command line of a role, without the program's and the role's names. Never throws. */
export function parseOptions(args: readonly string[], role: Role = "all-in-one"): CommandLine {
  const table = optionTable();
  const parsed = parseGoFlags(args, Object.values(table));
  if (parsed.kind === "error") return usageError(parsed.message);
  if (parsed.kind === "help") return { kind: "help", text: formatUsage() };
  if (table.version.value) return { kind: "version" };

  for (const option of Object.values(table)) {
    if (option.given && !option.isFor(role)) {
      return usageError(`--${option.name} is no flag of ${role}: leave it out`);
    }
  }
  const warnings: string[] = [];
  const [positional] = parsed.positional;
  if (positional !== undefined && parsed.positional.length === args.length) {
    return usageError(unknownWord(positional, role));
  }
  if (positional !== undefined) {
    warnings.push(
      `${quote(positional)} and whatever follows it on the command line is ignored: it is no flag` +
        " (the value of a boolean flag is written --flag=true)",
    );
  }
  const run = toRoleOptions(table, role, warnings);
  if (!run.ok) return usageError(run.error);
  if (table.printConfig.value) {
    return { kind: "print-config", text: formatConfig(table, role), warnings };
  }
  return { kind: "run", run: run.value, warnings };
}

function toRoleOptions(table: OptionTable, role: Role, warnings: string[]): Checked<RoleOptions> {
  const socket = table.socket.value;
  if (role !== "all-in-one" && socket === "") return refuse(`${role} needs --socket`);
  const log = toLogOptions(table);
  if (role === "core") {
    const matching = toMatchingOptions(table, warnings);
    if (!matching.ok) return matching;
    return { ok: true, value: { role, options: { ...log, ...matching.value, socket } } };
  }
  const listening = toListeningOptions(table, warnings);
  if (!listening.ok) return listening;
  if (role === "http-frontend") {
    const untilStdinCloses = table.untilStdinCloses.value;
    const options = { ...log, ...listening.value, socket, untilStdinCloses };
    return { ok: true, value: { role, options } };
  }
  const workers = table.workers.value;
  if (workers !== 0 && listening.value.addr.port === 0) {
    return refuse("--workers needs one port for all: --addr must name it");
  }
  const matching = toMatchingOptions(table, warnings);
  if (!matching.ok) return matching;
  const options = {
    ...log,
    ...matching.value,
    ...listening.value,
    workers,
    workerArguments: toWorkerArguments(table),
  };
  return { ok: true, value: { role, options } };
}

/** A word where flags should be: the Go broker would take none of the flags after it. */
function unknownWord(word: string, role: Role): string {
  if (role !== "all-in-one") return `${role} takes flags only, and ${quote(word)} is none`;
  const meant = nearestWord(word, COMMAND_WORDS);
  const advice =
    meant === undefined ? `the commands are ${COMMAND_WORDS.join(", ")}` : `did you mean ${meant}?`;
  return `${quote(word)} is no command and no flag: ${advice}`;
}

function usageError(message: string): CommandLine {
  return { kind: "error", message: `${message} (see --help)`, exitCode: 2 };
}

function toLogOptions(table: OptionTable): LogOptions {
  return {
    logFormat: table.logFormat.value,
    logLevel: table.logLevel.value,
    unsafeLogging: table.unsafeLogging.value,
  };
}

function toMatchingOptions(table: OptionTable, warnings: string[]): Checked<MatchingOptions> {
  const pattern = table.allowedRelayPattern;
  if (pattern.given && pattern.value === "") {
    warnings.push("--allowed-relay-pattern is empty: nearly every proxy will be turned away");
  }
  if ((table.brokerSqsName.value === "") !== (table.brokerSqsRegion.value === "")) {
    warnings.push("no clients through SQS: --broker-sqs-name and --broker-sqs-region go together");
  }
  const policy = choosePolicy(table, warnings);
  if (!policy.ok) return policy;
  const cluster = chooseCluster(table);
  if (!cluster.ok) return cluster;
  const options: MatchingOptions = {
    policy: policy.value,
    bridgeListPath: table.bridgeListPath.value || undefined,
    allowedRelayPattern: pattern.given ? pattern.value : undefined,
    pollIntervalFilepath: table.pollIntervalFilepath.value || undefined,
    maxWaitingProxies: table.maxWaitingProxies.value,
    maxClients: table.maxClients.value,
    maxRateLimitEntries: table.maxRateLimitEntries.value,
    ipv6Prefix: table.ipv6Prefix.value,
    metricsLog: table.metricsLog.value || undefined,
    countryFiles: table.disableGeoip.value
      ? undefined
      : {
          ipv4: table.geoipdb.value,
          ipv6: table.geoip6db.value,
          required: table.geoipdb.given || table.geoip6db.given,
        },
    ipCountPrefix: table.ipCountPrefix.value || undefined,
    ipCountInterval: table.ipCountInterval.value,
    sqs: toSqsQueue(table),
    cluster: cluster.value,
  };
  return { ok: true, value: options };
}

function toListeningOptions(table: OptionTable, warnings: string[]): Checked<ListeningOptions> {
  const transport = chooseTransport(table, warnings);
  if (!transport.ok) return transport;
  if (table.http3.value && table.proxyProtocol.value) {
    return refuse("--http3 excludes --proxy-protocol: there is no PROXY header over UDP");
  }
  const addr = parseListenAddress(table.addr, transport.value.kind === "plain" ? 80 : 443);
  if (!addr.ok) return addr;
  return {
    ok: true,
    value: {
      transport: transport.value,
      addr: addr.value,
      http3: table.http3.value,
      maxConnections: table.maxConnections.value || undefined,
      proxyProtocol: table.proxyProtocol.value,
      idleTimeout: table.idleTimeout.value,
      drainSpread: table.drainSpread.value,
      trustedHops: table.trustedHops.value,
      metricsLog: table.metricsLog.value || undefined,
      sharePort: table.sharePort.value,
    },
  };
}

/** What a worker is told besides its socket and its certificate, which its parent has. */
function toWorkerArguments(table: OptionTable): string[] {
  const { addr, http3, trustedHops, maxConnections, proxyProtocol } = table;
  const { idleTimeout, drainSpread } = table;
  const { metricsLog, logFormat, logLevel, unsafeLogging } = table;
  const listening = [
    addr,
    http3,
    trustedHops,
    maxConnections,
    proxyProtocol,
    idleTimeout,
    drainSpread,
    metricsLog,
  ];
  return [...listening, logFormat, logLevel, unsafeLogging]
    .filter((option) => option.given)
    .map((option) => `--${option.name}=${option.text}`);
}

function toSqsQueue(table: OptionTable): SqsQueue | undefined {
  const queueName = table.brokerSqsName.value;
  const region = table.brokerSqsRegion.value;
  if (queueName === "" || region === "") return undefined;
  const profiles = table.sqsProfiles.value;
  return { queueName, region, profiles: profiles === "" ? [] : profiles.split(",") };
}
