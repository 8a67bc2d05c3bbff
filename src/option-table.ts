/**
 * Every option there is, in one table: the command line, `--help`, `--print-config` and the documentation come from
 * it. Names, types and defaults that the Go broker has too are the Go broker's.
 */

import { BOOL, DURATION, INT, intAtLeast, oneOf, STRING } from "./go-flag.ts";
import { Option } from "./option.ts";

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
    acmeHostnames: new Option({
      name: "acme-hostnames",
      type: STRING,
      default: "",
      value: "NAMES",
      group: "listening",
      help: "comma-separated host names to get certificates for",
      available: false,
    }),
    acmeEmail: new Option({
      name: "acme-email",
      type: STRING,
      default: "",
      value: "ADDRESS",
      group: "listening",
      help: "contact that the certificate authority is given",
      available: false,
    }),
    acmeCertCache: new Option({
      name: "acme-cert-cache",
      type: STRING,
      default: "acme-cert-cache",
      value: "DIR",
      group: "listening",
      help: "directory where those certificates are kept",
      available: false,
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
  };
}

export type OptionTable = ReturnType<typeof optionTable>;

/** Any option of the table, whatever its type. */
export type AnyOption = OptionTable[keyof OptionTable];
