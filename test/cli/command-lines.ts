/** Command lines for the tests of options. */

import { expect } from "bun:test";

import {
  type MatchingPolicy,
  REACH_POLICY,
  REFERENCE_POLICY,
} from "../../src/broker/policy/matching-policy.ts";
import { type Options, parseOptions } from "../../src/cli/options.ts";

/** The options of a command line that must be fit to run. */
export function run(
  ...args: string[]
): Omit<Options, "workerArguments"> & { warnings: readonly string[] } {
  const { workerArguments: _, ...options } = runDefaultRole(...args);
  return options;
}

export function runDefaultRole(...args: string[]): Options & { warnings: readonly string[] } {
  const parsed = parseOptions(args);
  if (parsed.kind !== "run" || parsed.run.role !== "all-in-one") {
    throw new Error(`${args.join(" ")}: ${JSON.stringify(parsed)}`);
  }
  return { ...parsed.run.options, warnings: parsed.warnings };
}

/** The message of a command line that must be refused. */
export function refusal(...args: string[]): string {
  const parsed = parseOptions(args);
  if (parsed.kind !== "error") throw new Error(`${args.join(" ")}: ${JSON.stringify(parsed)}`);
  expect(parsed.exitCode).toBe(2);
  expect(parsed.message).toEndWith(" (see --help)");
  return parsed.message.slice(0, -" (see --help)".length);
}

export const TLS = ["--cert", "c.pem", "--key", "k.pem"];
export const PLAIN = "--disable-tls";
export const ACME = "--acme-hostnames=a.example,b.example";
export const HALF_A_QUEUE =
  "no clients through SQS: --broker-sqs-name and --broker-sqs-region go together";

export const policy = (parts: Partial<MatchingPolicy>) => ({
  policy: { ...REACH_POLICY, ...parts },
});

/** A value other than the default for every option that can be given, and what comes of it. */
export const GIVEN = {
  "trusted-hops": ["0x2", { trustedHops: 2 }],
  addr: ["127.0.0.1:8080", { addr: { hostname: "127.0.0.1", port: 8080 } }],
  "bridge-list-path": ["b.json", { bridgeListPath: "b.json" }],
  "allowed-relay-pattern": ["^x$", { allowedRelayPattern: "^x$" }],
  "poll-interval-filepath": ["p.json", { pollIntervalFilepath: "p.json" }],
  policy: ["reference", { policy: REFERENCE_POLICY }],
  "proxy-wait": ["28s", policy({ proxyWait: 28_000 })],
  "client-wait": ["0", policy({ clientWait: 0 })],
  "max-waiting-clients": ["9", policy({ maxWaitingClients: 9 })],
  "adaptive-poll-interval": ["false", policy({ adaptiveInterval: undefined })],
  "least-poll-interval": ["5s", policy({ adaptiveInterval: { least: 5_000, most: 60_000 } })],
  "most-poll-interval": ["30s", policy({ adaptiveInterval: { least: 500, most: 30_000 } })],
  "second-chance": ["0", policy({ secondChance: undefined })],
  "silent-proxies-last": ["false", policy({ silentProxiesLast: false })],
  "learn-from-retries": ["true", policy({ learnFromRetries: true })],
  "remember-nat": ["12h", policy({ rememberNat: 43_200_000 })],
  "avoid-same-country": ["false", policy({ avoidSameCountry: false })],
  "share-surplus": ["false", policy({ shareSurplus: false })],
  "max-waiting-proxies": ["1_000", { maxWaitingProxies: 1000 }],
  "max-clients": ["7", { maxClients: 7 }],
  "max-rate-limit-entries": ["8", { maxRateLimitEntries: 8 }],
  "max-connections": ["300", { maxConnections: 300 }],
  "proxy-protocol": ["1", { proxyProtocol: true }],
  "idle-timeout": ["65s", { idleTimeout: 65_000 }],
  "drain-spread": ["0", { drainSpread: 0 }],
  "ipv6-prefix": ["56", { ipv6Prefix: 56 }],
  "log-format": ["json", { logFormat: "json" }],
  "log-level": ["debug", { logLevel: "debug" }],
  "unsafe-logging": ["true", { unsafeLogging: true }],
  "disable-geoip": ["T", { countryFiles: undefined }],
  geoipdb: ["g4", { countryFiles: { ipv4: "g4", ipv6: "/usr/share/tor/geoip6", required: true } }],
  geoip6db: ["g6", { countryFiles: { ipv4: "/usr/share/tor/geoip", ipv6: "g6", required: true } }],
  "broker-sqs-name": ["q", { warnings: [HALF_A_QUEUE] }],
  "broker-sqs-region": ["r", { warnings: [HALF_A_QUEUE] }],
  "sqs-profiles": ["a,,b", {}],
  workers: ["auto", { workers: "auto" }],
  "metrics-log": ["m.log", { metricsLog: "m.log" }],
  "ip-count-prefix": ["c", { ipCountPrefix: "c" }],
  "ip-count-interval": ["90m", { ipCountInterval: 5_400_000 }],
} as const;

/** The same for those that need `--acme-hostnames`. */
export const GIVEN_WITH_ACME = {
  "acme-email": ["me@a.example", { email: "me@a.example" }],
  "acme-cert-cache": ["cache", { cacheDirectory: "cache" }],
  "acme-http-addr": ["127.0.0.1:8080", { httpAddr: { hostname: "127.0.0.1", port: 8080 } }],
  "acme-directory": ["https://ca.example/dir", { directory: "https://ca.example/dir" }],
  "acme-ca": ["ca.pem", { ca: "ca.pem" }],
} as const;
