/** What the program is told on its command line, read once into values that can't be wrong. */

import { isIP } from "node:net";

import { parseGoFlags, quote } from "./go-flag.ts";
import { type AnyOption, type OptionTable, optionTable } from "./option-table.ts";
import type { Role } from "./option.ts";
import { type AcmeHostnames, parseAcmeHostnames } from "./tls/acme-hostnames.ts";
import { formatConfig, formatUsage } from "./usage.ts";

/** Where TLS ends, and whose certificate it is. `cert` and `key` are paths of PEM files. */
export type Transport =
  | ({ readonly kind: "acme" } & AcmeOptions)
  | { readonly kind: "tls"; readonly cert: string; readonly key: string }
  | { readonly kind: "plain" };

/** How a certificate is had from a certificate authority. */
export interface AcmeOptions {
  readonly hostnames: AcmeHostnames;
  readonly email: string | undefined;
  /** As given, even if empty: then it can't be made. */
  readonly cacheDirectory: string;
  readonly httpAddr: ListenAddress;
  /** URL of the authority's directory. */
  readonly directory: string;
  /** Path of a PEM file. */
  readonly ca: string | undefined;
}

/** Where to listen. */
export interface ListenAddress {
  /** A host name or an address, an IPv6 address without brackets; undefined: every interface, IPv4 and IPv6. */
  readonly hostname: string | undefined;
  /** 0: any free port. */
  readonly port: number;
}

/** A queue of Amazon SQS. */
export interface SqsQueue {
  readonly queueName: string;
  readonly region: string;
  /** Names of AWS profiles; an empty name is the default profile. */
  readonly profiles: readonly string[];
}

/** Tor's two country files. */
export interface CountryFilePaths {
  readonly ipv4: string;
  readonly ipv6: string;
  /** Somebody named one of them: a start without it is not what they asked for. */
  readonly required: boolean;
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
  readonly maxWaitingProxies: number;
  readonly maxClients: number;
  readonly maxRateLimitEntries: number;
  readonly metricsLog: string | undefined;
  /** Where the countries of addresses are; undefined: not told. */
  readonly countryFiles: CountryFilePaths | undefined;
  readonly ipCountPrefix: string | undefined;
  /** Milliseconds. */
  readonly ipCountInterval: number;
  /** The queue that clients may write to; undefined: there is none, as name and region were not both given. */
  readonly sqs: SqsQueue | undefined;
}

/** What listening goes by. */
export interface ListeningOptions {
  readonly transport: Transport;
  readonly addr: ListenAddress;
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

/** A value, or why there is none. */
type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** Reads the command line of a role, without the program's and the role's names. Never throws. */
export function parseOptions(args: readonly string[], role: Role = "all-in-one"): CommandLine {
  const table = optionTable();
  const parsed = parseGoFlags(args, Object.values(table));
  if (parsed.kind === "error") return usageError(parsed.message);
  if (parsed.kind === "help") return { kind: "help", text: formatUsage() };
  if (table.version.value) return { kind: "version" };

  for (const option of Object.values(table)) {
    if (option.given && !option.isAvailable) {
      return usageError(`--${option.name} is not available in this version: leave it out`);
    }
    if (option.given && !option.isFor(role)) {
      return usageError(`--${option.name} is no flag of ${role}: leave it out`);
    }
  }
  const warnings: string[] = [];
  const [positional] = parsed.positional;
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
    return {
      ok: true,
      value: { role, options: { ...log, ...toMatchingOptions(table, warnings), socket } },
    };
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
  const options = {
    ...log,
    ...toMatchingOptions(table, warnings),
    ...listening.value,
    workers,
    workerArguments: toWorkerArguments(table),
  };
  return { ok: true, value: { role, options } };
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

function toMatchingOptions(table: OptionTable, warnings: string[]): MatchingOptions {
  const pattern = table.allowedRelayPattern;
  if (pattern.given && pattern.value === "") {
    warnings.push("--allowed-relay-pattern is empty: nearly every proxy will be turned away");
  }
  if ((table.brokerSqsName.value === "") !== (table.brokerSqsRegion.value === "")) {
    warnings.push("no clients through SQS: --broker-sqs-name and --broker-sqs-region go together");
  }
  return {
    bridgeListPath: table.bridgeListPath.value || undefined,
    allowedRelayPattern: pattern.given ? pattern.value : undefined,
    pollIntervalFilepath: table.pollIntervalFilepath.value || undefined,
    maxWaitingProxies: table.maxWaitingProxies.value,
    maxClients: table.maxClients.value,
    maxRateLimitEntries: table.maxRateLimitEntries.value,
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
  };
}

function toListeningOptions(table: OptionTable, warnings: string[]): Checked<ListeningOptions> {
  const transport = chooseTransport(table, warnings);
  if (!transport.ok) return transport;
  const addr = parseListenAddress(table.addr, transport.value.kind === "plain" ? 80 : 443);
  if (!addr.ok) return addr;
  return {
    ok: true,
    value: {
      transport: transport.value,
      addr: addr.value,
      trustedHops: table.trustedHops.value,
      metricsLog: table.metricsLog.value || undefined,
      sharePort: table.sharePort.value,
    },
  };
}

/** What a worker is told besides its socket and its certificate, which its parent has. */
function toWorkerArguments(table: OptionTable): string[] {
  const { addr, trustedHops, metricsLog, logFormat, logLevel, unsafeLogging } = table;
  return [addr, trustedHops, metricsLog, logFormat, logLevel, unsafeLogging]
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

/** The first of the ways to serve that was asked for, in the order of the Go broker, so that its unit files mean the same. */
function chooseTransport(table: OptionTable, warnings: string[]): Checked<Transport> {
  const { acmeHostnames, acmeEmail, acmeCertCache, cert, key, disableTls } = table;
  const choose = (
    way: string,
    transport: Transport,
    ignored: readonly AnyOption[],
  ): Checked<Transport> => {
    for (const option of ignored) {
      if (isSet(option)) warnings.push(`--${option.name} is ignored: ${way} given`);
    }
    if (transport.kind !== "plain" && !table.trustedHops.given) {
      warnings.push(
        "TLS ends here, yet a peer's Forwarded and X-Forwarded-For headers are believed:" +
          " give --trusted-hops=0, or 1 if there is a reverse proxy in front",
      );
    }
    return { ok: true, value: transport };
  };

  if (acmeHostnames.value !== "") {
    const acme = parseAcmeOptions(table);
    if (!acme.ok) return acme;
    const transport: Transport = { kind: "acme", ...acme.value };
    return choose("--acme-hostnames is", transport, [cert, key, disableTls]);
  }
  for (const option of [table.acmeHttpAddr, table.acmeDirectory, table.acmeCa]) {
    if (isSet(option)) return refuse(`--${option.name} is of no use without --acme-hostnames`);
  }
  if (cert.value !== "" && key.value !== "") {
    if (acmeEmail.value !== "") return refuse("--cert and --key exclude the --acme options");
    const transport: Transport = { kind: "tls", cert: cert.value, key: key.value };
    return choose("--cert and --key are", transport, [disableTls, acmeCertCache]);
  }
  if (disableTls.value) {
    return choose("--disable-tls is", { kind: "plain" }, [cert, key, acmeEmail, acmeCertCache]);
  }
  for (const [option, other] of [[cert, key] as const, [key, cert] as const]) {
    if (option.value !== "") return refuse(`--${option.name} is of no use without --${other.name}`);
  }
  return refuse("TLS needs --acme-hostnames or --cert and --key, plain HTTP needs --disable-tls");
}

/** Whether the command line makes the option something else than it is without. */
function isSet(option: AnyOption): boolean {
  return option.text !== option.defaultText;
}

function refuse(error: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error };
}

function parseAcmeOptions(table: OptionTable): Checked<AcmeOptions> {
  const hostnames = parseAcmeHostnames(table.acmeHostnames.value);
  if (!hostnames.ok) return refuse(invalid(table.acmeHostnames, hostnames.error));
  const httpAddr = parseListenAddress(table.acmeHttpAddr, 80);
  if (!httpAddr.ok) return httpAddr;
  const directory = URL.parse(table.acmeDirectory.value);
  if (directory?.protocol !== "https:") {
    return refuse(invalid(table.acmeDirectory, "it must be a URL that begins with https://"));
  }
  return {
    ok: true,
    value: {
      hostnames: hostnames.value,
      email: table.acmeEmail.value || undefined,
      cacheDirectory: table.acmeCertCache.value,
      httpAddr: httpAddr.value,
      directory: directory.href,
      ca: table.acmeCa.value || undefined,
    },
  };
}

function invalid(option: AnyOption, why: string): string {
  return `invalid value ${quote(option.text)} for --${option.name}: ${why}`;
}

/** The services that an address may name instead of a port. */
const SERVICES = new Map([
  ["http", 80],
  ["https", 443],
]);

/**
 * Reads `host:port` as Go does: an IPv6 address stands in brackets, no host or an unspecified address means every
 * interface, no port means any free one; no text at all means the default port.
 */
function parseListenAddress(option: AnyOption, defaultPort: number): Checked<ListenAddress> {
  if (option.text === "") return { ok: true, value: { hostname: undefined, port: defaultPort } };
  const [whole, bracketed, bare, service = ""] =
    /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(option.text) ?? [];
  if (whole === undefined) {
    const why = "it must be HOST:PORT, with brackets around an IPv6 address";
    return refuse(invalid(option, why));
  }
  const host = bracketed ?? bare ?? "";
  if (!isHost(host)) return refuse(invalid(option, "its HOST is neither an address nor a name"));
  const port = parsePort(service);
  if (port === undefined) {
    return refuse(invalid(option, "its PORT must be 0 to 65535, http or https"));
  }
  const everyInterface = /^[0:.]*$/.test(host);
  return { ok: true, value: { hostname: everyInterface ? undefined : host, port } };
}

/** Whether the text is empty, an address, or a name; a name's last label has a letter, or it is a mistyped address. */
function isHost(text: string): boolean {
  if (text === "" || isIP(text) !== 0) return true;
  return /^[\w.-]{1,254}$/.test(text) && /[A-Za-z_][\w-]*\.?$/.test(text);
}

function parsePort(text: string): number | undefined {
  const service = SERVICES.get(text.toLowerCase());
  if (service !== undefined) return service;
  if (!/^\+?[0-9]*$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}
