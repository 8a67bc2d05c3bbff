/**
 * Every option there is, in one table: the command line, `--help`, `--print-config` and the documentation come from
 * it. Names, types and defaults that the Go broker has too are the Go broker's.
 */

import { TIME_LIMITS } from "../http/time-limits.ts";
import { DEFAULT_IPV6_PREFIX } from "../messages/address-network.ts";
import { clusterOptions } from "./cluster-options.ts";
import { BOOL, DURATION, INT, intAtLeast, intBetween, oneOf, STRING, WORKERS } from "./go-flag.ts";
import { Option, ROLES } from "./option.ts";
import { policyOptions } from "./policy-options.ts";

/** Every option with its default, ready to take one command line. `-help` is the parser's own. */
export function optionTable() {
  return {
    version: new Option({
      name: "version",
      type: BOOL,
      default: false,
      group: "modes",
      help: "print the version and exit",
    }),
    printConfig: new Option({
      name: "print-config",
      type: BOOL,
      default: false,
      group: "modes",
      help: "check the options, print what each one comes to, and exit",
    }),

    addr: new Option({
      name: "addr",
      type: STRING,
      default: ":443",
      value: "HOST:PORT",
      group: "listening",
      help: "address to listen on; without HOST every interface; empty: port 443 with TLS, 80 without",
    }),
    cert: new Option({
      name: "cert",
      type: STRING,
      default: "",
      value: "FILE",
      group: "listening",
      help: "TLS certificate chain (PEM); needs --key",
    }),
    key: new Option({
      name: "key",
      type: STRING,
      default: "",
      value: "FILE",
      group: "listening",
      help: "private key of the certificate (PEM)",
    }),
    http3: new Option({
      name: "http3",
      type: BOOL,
      default: false,
      group: "listening",
      help: "serve HTTP/3 as well, on the UDP port of the same number; experimental in the runtime",
    }),
    disableTls: new Option({
      name: "disable-tls",
      type: BOOL,
      default: false,
      group: "listening",
      help: "serve plain HTTP, for a reverse proxy that ends TLS",
    }),
    trustedHops: new Option({
      name: "trusted-hops",
      type: INT,
      default: 1,
      value: "N",
      group: "listening",
      help: "reverse proxies in front whose Forwarded or X-Forwarded-For is believed; 0: none",
    }),
    maxConnections: new Option({
      name: "max-connections",
      type: intAtLeast(0),
      default: 0,
      value: "N",
      group: "connections",
      help: "connections of a process at once, one more replaces the longest idle; 0: by the limit of open files",
    }),
    proxyProtocol: new Option({
      name: "proxy-protocol",
      type: BOOL,
      default: false,
      group: "connections",
      help: "expect a PROXY header (version 1 or 2) from a load balancer on every connection; others are cut",
    }),
    idleTimeout: new Option({
      name: "idle-timeout",
      type: DURATION,
      default: TIME_LIMITS.request,
      value: "TIME",
      group: "connections",
      help: "how long a connection may idle; longer than any load balancer in front keeps one",
    }),
    drainSpread: new Option({
      name: "drain-spread",
      type: DURATION,
      default: 2_000,
      value: "TIME",
      group: "connections",
      help: "time over which idle connections are closed at the end, so that not all come back at once",
    }),
    acmeHostnames: new Option({
      name: "acme-hostnames",
      type: STRING,
      default: "",
      value: "NAMES",
      group: "acme",
      help: "comma-separated host names to get one certificate for; its terms of service are agreed to",
    }),
    acmeEmail: new Option({
      name: "acme-email",
      type: STRING,
      default: "",
      value: "ADDRESS",
      group: "acme",
      help: "contact that the certificate authority is given",
    }),
    acmeCertCache: new Option({
      name: "acme-cert-cache",
      type: STRING,
      default: "acme-cert-cache",
      value: "DIR",
      group: "acme",
      help: "directory where the certificate and the keys are kept",
    }),
    acmeHttpAddr: new Option({
      name: "acme-http-addr",
      type: STRING,
      default: ":80",
      value: "HOST:PORT",
      group: "acme",
      help: "address that the certificate authority's HTTP-01 requests come to; others are sent to https",
    }),
    acmeDirectory: new Option({
      name: "acme-directory",
      type: STRING,
      default: "https://acme-v02.api.letsencrypt.org/directory",
      value: "URL",
      group: "acme",
      help: "the certificate authority",
    }),
    acmeCa: new Option({
      name: "acme-ca",
      type: STRING,
      default: "",
      value: "FILE",
      group: "acme",
      help: "root certificates (PEM) to trust for that URL besides the usual ones",
    }),

    bridgeListPath: new Option({
      name: "bridge-list-path",
      type: STRING,
      default: "",
      value: "FILE",
      group: "matching",
      help: "bridges that clients may ask for, one JSON object a line; empty: Tor's default bridge",
    }),
    allowedRelayPattern: new Option({
      name: "allowed-relay-pattern",
      type: STRING,
      default: "",
      value: "TEXT",
      group: "matching",
      help: "host name pattern that a proxy's own pattern must cover",
      absent: "a proxy must admit the host of every bridge",
    }),
    pollIntervalFilepath: new Option({
      name: "poll-interval-filepath",
      type: STRING,
      default: "",
      value: "FILE",
      group: "matching",
      help: "JSON object with each pool's poll interval in milliseconds; empty: 20000 each",
    }),

    ...policyOptions(),

    maxWaitingProxies: new Option({
      name: "max-waiting-proxies",
      type: intAtLeast(1),
      default: 100_000,
      value: "N",
      group: "limits",
      help: "proxies that may wait for a client at once; more are sent away",
    }),
    maxClients: new Option({
      name: "max-clients",
      type: intAtLeast(1),
      default: 20_000,
      value: "N",
      group: "limits",
      help: "client requests in flight at once; more are denied",
    }),
    maxRateLimitEntries: new Option({
      name: "max-rate-limit-entries",
      type: intAtLeast(1),
      default: 1_000_000,
      value: "N",
      group: "limits",
      help: "addresses remembered per pool to hold proxies to their poll interval",
    }),
    ipv6Prefix: new Option({
      name: "ipv6-prefix",
      type: intBetween(1, 128),
      default: DEFAULT_IPV6_PREFIX,
      value: "BITS",
      group: "limits",
      help: "bits of an IPv6 address that tell peers apart for these limits; 128: every address",
    }),

    logFormat: new Option({
      name: "log-format",
      type: oneOf("text", "json"),
      default: "text",
      value: "FORMAT",
      group: "log",
      help: "how a log line is written: text or json",
    }),
    logLevel: new Option({
      name: "log-level",
      type: oneOf("debug", "info", "warn", "error"),
      default: "info",
      value: "LEVEL",
      group: "log",
      help: "least that is logged: debug, info, warn or error",
    }),
    unsafeLogging: new Option({
      name: "unsafe-logging",
      type: BOOL,
      default: false,
      group: "log",
      help: "leave addresses in the log instead of writing [scrubbed]",
    }),

    metricsLog: new Option({
      name: "metrics-log",
      type: STRING,
      default: "",
      value: "FILE",
      group: "metrics",
      roles: ROLES,
      help: "file that the daily report is appended to; empty: standard output",
    }),
    disableGeoip: new Option({
      name: "disable-geoip",
      type: BOOL,
      default: false,
      group: "metrics",
      help: "do not tell the countries of clients and proxies",
    }),
    geoipdb: new Option({
      name: "geoipdb",
      type: STRING,
      default: "/usr/share/tor/geoip",
      value: "FILE",
      group: "metrics",
      help: "countries of IPv4 addresses, Tor's geoip",
      absent: "the default, if it is there",
    }),
    geoip6db: new Option({
      name: "geoip6db",
      type: STRING,
      default: "/usr/share/tor/geoip6",
      value: "FILE",
      group: "metrics",
      help: "countries of IPv6 addresses, Tor's geoip6",
      absent: "the default, if it is there",
    }),
    ipCountPrefix: new Option({
      name: "ip-count-prefix",
      type: STRING,
      default: "",
      value: "PATH",
      group: "metrics",
      help: "count distinct addresses into files whose paths begin so; empty: do not count",
    }),
    ipCountInterval: new Option({
      name: "ip-count-interval",
      type: DURATION,
      default: 3_600_000,
      value: "TIME",
      group: "metrics",
      help: "least time that one counting chunk covers, such as 30m or 1h30m",
    }),

    brokerSqsName: new Option({
      name: "broker-sqs-name",
      type: STRING,
      default: "",
      value: "NAME",
      group: "sqs",
      help: "queue to listen on; needs --broker-sqs-region",
    }),
    brokerSqsRegion: new Option({
      name: "broker-sqs-region",
      type: STRING,
      default: "",
      value: "REGION",
      group: "sqs",
      help: "AWS region of that queue",
    }),
    sqsProfiles: new Option({
      name: "sqs-profiles",
      type: STRING,
      default: "",
      value: "NAMES",
      group: "sqs",
      help: "comma-separated AWS profiles, each with a listener of its own",
    }),

    ...clusterOptions(),

    workers: new Option({
      name: "workers",
      type: WORKERS,
      default: 0,
      value: "N",
      group: "processes",
      help: "http-frontends to run on the port, beside a core; auto: one a CPU; 0: one process for all",
      roles: ["all-in-one"],
    }),
    socket: new Option({
      name: "socket",
      type: STRING,
      default: "",
      value: "PATH",
      group: "processes",
      help: "unix socket between a core and its http-frontends",
    }),
    sharePort: new Option({
      name: "share-port",
      type: BOOL,
      default: false,
      group: "processes",
      help: "let other http-frontends listen on the same port",
      roles: ["http-frontend"],
    }),
    untilStdinCloses: new Option({
      name: "until-stdin-closes",
      type: BOOL,
      default: false,
      group: "processes",
      help: "stop when standard input closes, not at a signal, as workers do, whose certificates come from there",
      roles: ["http-frontend"],
    }),
  };
}

export type OptionTable = ReturnType<typeof optionTable>;

/** Any option of the table, whatever its type. */
export type AnyOption = OptionTable[keyof OptionTable];
