/** What the program is told on its command line, read once into values that can't be wrong. */

import { isIP } from "node:net";

import { parseGoFlags, quote } from "./go-flag.ts";
import { type OptionTable, optionTable } from "./option-table.ts";
import { formatConfig, formatUsage } from "./usage.ts";

/** Where TLS ends. `cert` and `key` are paths of PEM files. */
export type Transport =
  | { readonly kind: "tls"; readonly cert: string; readonly key: string }
  | { readonly kind: "plain" };

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

/** The effective options, named for their flags. A path or name that may be left out is undefined, never empty. */
export interface Options {
  readonly transport: Transport;
  readonly addr: ListenAddress;
  /** Zero and below: no reverse proxy is believed. */
  readonly trustedHops: number;
  readonly bridgeListPath: string | undefined;
  /** As given, even if empty; undefined: not given, so a proxy must admit the host of every bridge. */
  readonly allowedRelayPattern: string | undefined;
  readonly pollIntervalFilepath: string | undefined;
  readonly maxWaitingProxies: number;
  readonly maxClients: number;
  readonly maxRateLimitEntries: number;
  readonly logFormat: "text" | "json";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly unsafeLogging: boolean;
  readonly metricsLog: string | undefined;
  /** Where the countries of addresses are; undefined: not told. */
  readonly countryFiles: CountryFilePaths | undefined;
  readonly ipCountPrefix: string | undefined;
  /** Milliseconds. */
  readonly ipCountInterval: number;
  /** The queue that clients may write to; undefined: there is none, as name and region were not both given. */
  readonly sqs: SqsQueue | undefined;
}

/** What the command line asks for. Texts end with a line feed; messages and warnings are one line without. */
export type CommandLine =
  | { readonly kind: "run"; readonly options: Options; readonly warnings: readonly string[] }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "print-config"; readonly text: string; readonly warnings: readonly string[] }
  /** `exitCode` is that of a wrong use; files that can't be read end the start elsewhere, with 1. */
  | { readonly kind: "error"; readonly message: string; readonly exitCode: 2 };

/** A value, or why there is none. */
type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** Reads the command line, without the program's own name. Never throws. */
export function parseOptions(args: readonly string[]): CommandLine {
  const table = optionTable();
  const parsed = parseGoFlags(args, Object.values(table));
  if (parsed.kind === "error") return usageError(parsed.message);
  if (parsed.kind === "help") return { kind: "help", text: formatUsage() };
  if (table.version.value) return { kind: "version" };

  for (const option of Object.values(table)) {
    if (option.given && !option.isAvailable) {
      return usageError(`--${option.name} is not available in this version: leave it out`);
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

  const transport = chooseTransport(table, warnings);
  if (!transport.ok) return usageError(transport.error);
  const addr = parseListenAddress(table.addr.value, transport.value.kind === "tls" ? 443 : 80);
  if (!addr.ok) return usageError(addr.error);
  if (table.allowedRelayPattern.given && table.allowedRelayPattern.value === "") {
    warnings.push("--allowed-relay-pattern is empty: nearly every proxy will be turned away");
  }

  if ((table.brokerSqsName.value === "") !== (table.brokerSqsRegion.value === "")) {
    warnings.push("no clients through SQS: --broker-sqs-name and --broker-sqs-region go together");
  }

  if (table.printConfig.value) return { kind: "print-config", text: formatConfig(table), warnings };
  return { kind: "run", options: toOptions(table, transport.value, addr.value), warnings };
}

function usageError(message: string): CommandLine {
  return { kind: "error", message: `${message} (see --help)`, exitCode: 2 };
}

function toOptions(table: OptionTable, transport: Transport, addr: ListenAddress): Options {
  const pattern = table.allowedRelayPattern;
  return {
    transport,
    addr,
    trustedHops: table.trustedHops.value,
    bridgeListPath: table.bridgeListPath.value || undefined,
    allowedRelayPattern: pattern.given ? pattern.value : undefined,
    pollIntervalFilepath: table.pollIntervalFilepath.value || undefined,
    maxWaitingProxies: table.maxWaitingProxies.value,
    maxClients: table.maxClients.value,
    maxRateLimitEntries: table.maxRateLimitEntries.value,
    logFormat: table.logFormat.value,
    logLevel: table.logLevel.value,
    unsafeLogging: table.unsafeLogging.value,
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

function toSqsQueue(table: OptionTable): SqsQueue | undefined {
  const queueName = table.brokerSqsName.value;
  const region = table.brokerSqsRegion.value;
  if (queueName === "" || region === "") return undefined;
  const profiles = table.sqsProfiles.value;
  return { queueName, region, profiles: profiles === "" ? [] : profiles.split(",") };
}

/** The first of the ways to serve that was asked for, in the order of the Go broker, so that its unit files mean the same. */
function chooseTransport(table: OptionTable, warnings: string[]): Checked<Transport> {
  const cert = table.cert.value;
  const key = table.key.value;
  if (cert !== "" && key !== "") {
    if (table.acmeEmail.value !== "") {
      return { ok: false, error: "--cert and --key exclude the --acme options" };
    }
    if (table.disableTls.value) {
      warnings.push("--disable-tls is ignored: --cert and --key are given");
    }
    if (!table.trustedHops.given) {
      warnings.push(
        "TLS ends here, yet a peer's Forwarded and X-Forwarded-For headers are believed:" +
          " give --trusted-hops=0, or 1 if there is a reverse proxy in front",
      );
    }
    return { ok: true, value: { kind: "tls", cert, key } };
  }
  const alone = cert !== "" ? "--cert" : key !== "" ? "--key" : undefined;
  if (table.disableTls.value) {
    if (alone !== undefined) warnings.push(`${alone} is ignored: --disable-tls is given`);
    return { ok: true, value: { kind: "plain" } };
  }
  if (alone !== undefined) {
    const missing = alone === "--cert" ? "--key" : "--cert";
    return { ok: false, error: `${alone} is of no use without ${missing}` };
  }
  const acme = `--acme-hostnames${table.acmeHostnames.isAvailable ? "" : ", not in this version"}`;
  return {
    ok: false,
    error: `TLS needs --cert and --key (or ${acme}), plain HTTP needs --disable-tls`,
  };
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
function parseListenAddress(text: string, defaultPort: number): Checked<ListenAddress> {
  if (text === "") return { ok: true, value: { hostname: undefined, port: defaultPort } };
  const refuse = (why: string) =>
    ({ ok: false, error: `invalid value ${quote(text)} for --addr: ${why}` }) as const;

  const [whole, bracketed, bare, service = ""] =
    /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text) ?? [];
  if (whole === undefined) {
    return refuse("it must be HOST:PORT, with brackets around an IPv6 address");
  }
  const host = bracketed ?? bare ?? "";
  if (!isHost(host)) return refuse("its HOST is neither an address nor a name");
  const port = parsePort(service);
  if (port === undefined) return refuse("its PORT must be 0 to 65535, http or https");
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
