import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { REACH_POLICY } from "../../src/broker/policy/matching-policy.ts";
import { quote } from "../../src/cli/go-flag.ts";
import { formatUsage } from "../../src/cli/help.ts";
import { optionTable } from "../../src/cli/option-table.ts";
import type { Role } from "../../src/cli/option.ts";
import { parseOptions } from "../../src/cli/options.ts";
import {
  ACME,
  GIVEN,
  GIVEN_WITH_ACME,
  PLAIN,
  refusal,
  run,
  runDefaultRole,
  TLS,
} from "./command-lines.ts";

test("the defaults are the Go broker's and ours", () => {
  expect(run(PLAIN)).toEqual({
    transport: { kind: "plain" },
    addr: { hostname: undefined, port: 443 },
    trustedHops: 1,
    bridgeListPath: undefined,
    allowedRelayPattern: undefined,
    pollIntervalFilepath: undefined,
    policy: REACH_POLICY,
    maxWaitingProxies: 100_000,
    maxClients: 20_000,
    maxRateLimitEntries: 1_000_000,
    ipv6Prefix: 64,
    maxConnections: undefined,
    proxyProtocol: false,
    idleTimeout: 620_000,
    drainSpread: 2_000,
    logFormat: "text",
    logLevel: "info",
    unsafeLogging: false,
    metricsLog: undefined,
    countryFiles: {
      ipv4: "/usr/share/tor/geoip",
      ipv6: "/usr/share/tor/geoip6",
      required: false,
    },
    ipCountPrefix: undefined,
    ipCountInterval: 3_600_000,
    sqs: undefined,
    cluster: undefined,
    http3: false,
    sharePort: false,
    workers: 0,
    warnings: [],
  });
});

test("every flag of the Go broker is in the table, with its type and default", () => {
  const flags = Object.values(optionTable()).map((option) => [
    option.name,
    option.entry.type.name,
    option.defaultText,
  ]);
  const upstream = [
    ["acme-email", "string", ""],
    ["acme-hostnames", "string", ""],
    ["acme-cert-cache", "string", "acme-cert-cache"],
    ["cert", "string", ""],
    ["key", "string", ""],
    ["disable-tls", "bool", "false"],
    ["addr", "string", ":443"],
    ["geoipdb", "string", "/usr/share/tor/geoip"],
    ["geoip6db", "string", "/usr/share/tor/geoip6"],
    ["disable-geoip", "bool", "false"],
    ["bridge-list-path", "string", ""],
    ["allowed-relay-pattern", "string", ""],
    ["poll-interval-filepath", "string", ""],
    ["trusted-hops", "int", "1"],
    ["metrics-log", "string", ""],
    ["ip-count-prefix", "string", ""],
    ["ip-count-interval", "duration", "1h0m0s"],
    ["broker-sqs-name", "string", ""],
    ["broker-sqs-region", "string", ""],
    ["sqs-profiles", "string", ""],
    ["unsafe-logging", "bool", "false"],
  ];
  for (const flag of upstream) expect(flags).toContainEqual(flag);
  expect(new Set(flags.map(([name]) => name)).size).toBe(flags.length);
});

describe("each option on its own", () => {
  test.each(Object.entries(GIVEN))("--%s", (name, [text, expected]) => {
    expect(run(PLAIN, `--${name}=${text}`)).toEqual({ ...run(PLAIN), ...expected });
  });

  test("a queue and its region are a way in, with the profiles in their order", () => {
    const { sqs } = run(
      PLAIN,
      "--broker-sqs-name=q",
      "--broker-sqs-region=eu-central-1",
      "--sqs-profiles=a,,b",
    );
    expect(sqs).toEqual({
      queueName: "q",
      region: "eu-central-1",
      profiles: ["a", "", "b"],
    });
  });

  test.each(Object.entries(GIVEN_WITH_ACME))("--%s", (name, [text, expected]) => {
    const { transport, ...others } = run(ACME, `--${name}=${text}`);
    const { transport: before, ...othersBefore } = run(ACME);
    expect(transport).toEqual({ ...before, ...expected });
    expect(others).toEqual(othersBefore);
  });

  test("none is left out of these tests", () => {
    const elsewhere = [
      ...["cluster", "cluster-secret", "cluster-name", "cluster-credentials", "cluster-ca"],
      ...["version", "print-config", "cert", "key", "http3", "disable-tls", "acme-hostnames"],
    ];
    const names = Object.values(optionTable()).flatMap((option) =>
      option.isFor("all-in-one") ? [option.name] : [],
    );
    const here = [...Object.keys(GIVEN), ...Object.keys(GIVEN_WITH_ACME)];
    expect([...here, ...elsewhere].toSorted()).toEqual(names.toSorted());
  });

  test.each([
    ["trusted-hops", "one"],
    ["max-waiting-proxies", "0"],
    ["max-clients", "-1"],
    ["max-rate-limit-entries", "0"],
    ["log-format", "xml"],
    ["log-level", "INFO"],
    ["ip-count-interval", "5"],
    ["disable-tls", "yes"],
    ["policy", "none"],
    ["proxy-wait", "9s"],
    ["proxy-wait", "29s"],
    ["proxy-wait", "12.5s"],
    ["client-wait", "5s"],
    ["max-waiting-clients", "0"],
    ["least-poll-interval", "0"],
    ["second-chance", "5s"],
    ["remember-nat", "-1h"],
  ])("--%s=%s is refused", (name, text) => {
    expect(refusal(`--${name}=${text}`)).toStartWith(
      `invalid value "${text}" for --${name}: it must`,
    );
  });

  test("a hop count below zero is the Go broker's too", () => {
    expect(run(PLAIN, "--trusted-hops=-1").trustedHops).toBe(-1);
  });

  test("an empty path is no path", () => {
    expect(run(PLAIN, "--bridge-list-path=", "-poll-interval-filepath", "")).toEqual(run(PLAIN));
  });

  test("a relay pattern that is empty is not one that was not given", () => {
    const options = run(PLAIN, "--allowed-relay-pattern=");
    expect(options.allowedRelayPattern).toBe("");
    expect(options.warnings).toEqual([expect.stringContaining("--allowed-relay-pattern is empty")]);
  });
});

describe("a cluster", () => {
  const SECRET = "--cluster-secret=s.key";

  test("has servers, a name and a secret", () => {
    expect(run(PLAIN, "--cluster=nats://a.example", SECRET).cluster).toEqual({
      servers: ["a.example:4222"],
      tls: false,
      name: "snowflake",
      secretFile: "s.key",
      credentialsFile: undefined,
      caFile: undefined,
    });
    const all = ["--cluster-name=b-1", "--cluster-credentials=c", "--cluster-ca=ca.pem"];
    expect(run(PLAIN, "--cluster=tls://a:1,tls://[::1]:2", SECRET, ...all).cluster).toEqual({
      servers: ["a:1", "[::1]:2"],
      tls: true,
      name: "b-1",
      secretFile: "s.key",
      credentialsFile: "c",
      caFile: "ca.pem",
    });
  });

  test.each(["secret", "name", "credentials", "ca"])("--cluster-%s needs it", (name) => {
    expect(refusal(PLAIN, `--cluster-${name}=x`)).toBe(
      `--cluster-${name} is of no use without --cluster`,
    );
  });

  test.each([
    ["--cluster=nats://a", [], "--cluster needs --cluster-secret, a file that every node has"],
    ["--cluster=a:4222", [SECRET], "invalid value for --cluster: a URL must be nats://HOST:PORT"],
    ["--cluster=nats://", [SECRET], "invalid value for --cluster: a URL must be nats://HOST:PORT"],
    ["--cluster=nats://a,", [SECRET], "invalid value for --cluster: a URL must be nats://HOST"],
    ["--cluster=nats://a/b", [SECRET], "invalid value for --cluster: a URL has more than a host"],
    ["--cluster=nats://u:p@a", [SECRET], "invalid value for --cluster: a URL has a user or a"],
    ["--cluster=nats://a,tls://b", [SECRET], "--cluster mixes nats:// and tls://"],
    ["--cluster=nats://a", [SECRET, "--cluster-ca=c"], "--cluster-ca needs TLS: write tls://"],
    [
      "--cluster=nats://a",
      [SECRET, "--cluster-name=a.b"],
      'invalid value "a.b" for --cluster-name',
    ],
  ])("%s %p is refused", (flag, others, why) => {
    expect(refusal(PLAIN, flag, ...others)).toStartWith(why);
  });
});

describe("the matching policy", () => {
  test("of the reference excludes all other options of its group", () => {
    const names = Object.values(optionTable()).flatMap(({ name, entry }) =>
      ["policy", "experience"].includes(entry.group) && name !== "policy" ? [name] : [],
    );
    expect(names).toHaveLength(12);
    for (const name of names) {
      const value = Object.entries(GIVEN).find(([given]) => given === name)?.[1][0] ?? "";
      expect(refusal(PLAIN, "--policy=reference", `--${name}=${value}`)).toBe(
        `--policy=reference excludes --${name}: leave one of them out`,
      );
    }
  });

  test("has bounds for poll intervals that can be met", () => {
    expect(refusal(PLAIN, "--least-poll-interval=2m")).toBe(
      "--least-poll-interval=2m0s is more than --most-poll-interval=1m0s: lower one or raise the other",
    );
  });

  test("says which of its options do nothing beside the others", () => {
    const warnings = (...args: string[]) => run(PLAIN, ...args).warnings;
    expect(warnings("--max-waiting-clients=9", "--client-wait=0")).toEqual([
      "--max-waiting-clients does nothing: --client-wait=0s is given",
    ]);
    for (const bound of ["least", "most"]) {
      const flag = `--${bound}-poll-interval`;
      expect(warnings(`${flag}=5s`, "--adaptive-poll-interval=false")).toEqual([
        `${flag} does nothing: --adaptive-poll-interval=false is given`,
      ]);
    }
    expect(warnings("--client-wait=0", "--adaptive-poll-interval=false")).toEqual([]);
  });
});

describe("the transport", () => {
  test("certificate and key", () => {
    const options = run(...TLS, "--trusted-hops=0");
    expect(options.transport).toEqual({ kind: "tls", cert: "c.pem", key: "k.pem" });
    expect(options.warnings).toEqual([]);
  });

  test("certificate and key outweigh --disable-tls", () => {
    const options = run(...TLS, PLAIN, "--trusted-hops=0");
    expect(options.transport.kind).toBe("tls");
    expect(options.warnings).toEqual([expect.stringContaining("--disable-tls is ignored")]);
  });

  test.each([[TLS], [[ACME]]])("HTTP/3 beside TLS: %p", (tls) => {
    const options = run(...tls, "--http3", "--trusted-hops=0");
    expect(options).toEqual({ ...run(...tls, "--trusted-hops=0"), http3: true });
    expect(runDefaultRole(...tls, "--http3").workerArguments).toContain("--http3=true");
    expect(runDefaultRole(...tls).workerArguments.join(" ")).not.toContain("http3");
  });

  test("HTTP/3 needs TLS", () => {
    expect(refusal(PLAIN, "--http3")).toBe("--http3 needs TLS: it is of no use with --disable-tls");
    expect(run(PLAIN, "--http3=false").http3).toBe(false);
    expect(run(...TLS, PLAIN, "--http3").http3).toBe(true);
  });

  test("a PROXY header is there for TCP only, and workers expect it too", () => {
    expect(refusal(...TLS, "--http3", "--proxy-protocol")).toBe(
      "--http3 excludes --proxy-protocol: there is no PROXY header over UDP",
    );
    expect(runDefaultRole(PLAIN, "--proxy-protocol").workerArguments).toContain(
      "--proxy-protocol=true",
    );
  });

  test("TLS that ends here with headers believed by default is worth a warning", () => {
    expect(run(...TLS).warnings).toEqual([expect.stringContaining("--trusted-hops=0")]);
    expect(run(...TLS, "--trusted-hops=1").warnings).toEqual([]);
  });

  test.each(["--cert", "--key"])("--disable-tls with %s alone is plain", (flag) => {
    const options = run(PLAIN, flag, "x.pem");
    expect(options.transport).toEqual({ kind: "plain" });
    expect(options.warnings).toEqual([`${flag} is ignored: --disable-tls is given`]);
  });

  test("a certificate authority's", () => {
    const options = run(ACME, "--trusted-hops=0");
    expect(options.transport).toEqual({
      kind: "acme",
      hostnames: ["a.example", "b.example"],
      email: undefined,
      cacheDirectory: "acme-cert-cache",
      httpAddr: { hostname: undefined, port: 80 },
      directory: "https://acme-v02.api.letsencrypt.org/directory",
      ca: undefined,
    });
    expect(options.addr.port).toBe(443);
    expect(run(ACME, "--addr=").addr.port).toBe(443);
    expect(options.warnings).toEqual([]);
    expect(run(ACME).warnings).toEqual([expect.stringContaining("--trusted-hops=0")]);
  });

  test("a certificate authority outweighs all others", () => {
    const options = run(...TLS, PLAIN, ACME, "--acme-email=me@a.example", "--trusted-hops=0");
    expect(options.transport).toMatchObject({ kind: "acme", email: "me@a.example" });
    expect(options.warnings).toEqual(
      ["--cert", "--key", "--disable-tls"].map(
        (flag) => `${flag} is ignored: --acme-hostnames is given`,
      ),
    );
    expect(run(...TLS, "--acme-hostnames=", "--trusted-hops=0").transport.kind).toBe("tls");
  });

  test("certificate and key exclude a contact for a certificate authority", () => {
    expect(refusal(...TLS, "--acme-email=me@a.example")).toBe(
      "--cert and --key exclude the --acme options",
    );
    const options = run(...TLS, "--acme-cert-cache=x", "--trusted-hops=0");
    expect(options.warnings).toEqual(["--acme-cert-cache is ignored: --cert and --key are given"]);
  });

  test("plain HTTP needs no certificate authority", () => {
    const options = run(PLAIN, "--acme-email=me@a.example", "--acme-cert-cache=x");
    expect(options.transport.kind).toBe("plain");
    expect(options.warnings).toEqual([
      "--acme-email is ignored: --disable-tls is given",
      "--acme-cert-cache is ignored: --disable-tls is given",
    ]);
  });

  test.each(["--acme-http-addr=:8080", "--acme-directory=https://ca.example/", "--acme-ca=ca.pem"])(
    "%s is of no use without host names",
    (option) => {
      const [flag] = option.split("=");
      for (const way of [[PLAIN], TLS, []]) {
        expect(refusal(...way, option)).toBe(`${flag} is of no use without --acme-hostnames`);
      }
    },
  );

  test.each([
    ["--acme-hostnames=a.example,*.b.example", "*.b.example: HTTP-01 gives"],
    ["--acme-hostnames=localhost", "localhost is no full host name"],
    ["--acme-http-addr=80", "it must be HOST:PORT"],
    ["--acme-http-addr=:70000", "its PORT must be"],
    ["--acme-directory=http://ca.example/", "it must be a URL that begins with https://"],
    ["--acme-directory=ca.example", "it must be a URL that begins with https://"],
  ])("%s is refused", (option, why) => {
    const [flag, value = ""] = option.split("=");
    expect(refusal(ACME, option)).toStartWith(`invalid value ${quote(value)} for ${flag}: ${why}`);
  });

  test("neither without the other", () => {
    expect(refusal("--cert", "c.pem")).toBe("--cert is of no use without --key");
    expect(refusal("--cert=", "--key", "k.pem")).toBe("--key is of no use without --cert");
  });

  test.each([[[]], [["--disable-tls=false"]], [["--cert=", "--key="]]])("none: %p", (args) => {
    const message = refusal(...args);
    for (const way of ["--cert and --key", "--acme-hostnames", "--disable-tls"]) {
      expect(message).toContain(way);
    }
  });
});

describe("the address", () => {
  test.each([
    [":443", undefined, 443],
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["[::1]:443", "::1", 443],
    ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
    ["localhost:80", "localhost", 80],
    ["[localhost]:80", "localhost", 80],
    ["broker.example.:80", "broker.example.", 80],
    ["1.example:80", "1.example", 80],
    [":https", undefined, 443],
    ["127.0.0.1:HTTP", "127.0.0.1", 80],
    [":0", undefined, 0],
    ["127.0.0.1:", "127.0.0.1", 0],
    [":", undefined, 0],
    [":0080", undefined, 80],
    [":+80", undefined, 80],
    [":65535", undefined, 65_535],
    ["0.0.0.0:80", undefined, 80],
    ["[::]:80", undefined, 80],
    ["[0:0::0]:80", undefined, 80],
    ["[::10]:80", "::10", 80],
    ["[]:80", undefined, 80],
    ["", undefined, 80],
  ])("%p", (text, hostname, port) => {
    expect(run(PLAIN, "--addr", text).addr).toEqual({ hostname, port });
  });

  test("an empty one with TLS is port 443", () => {
    expect(run(...TLS, "--addr=").addr).toEqual({ hostname: undefined, port: 443 });
  });

  test.each([
    ...["443", "localhost", "127.0.0.1", "::1", "::1:443", "[::1]", "[::1]443", "::", "a:b:80"],
    ...[":65536", ":-1", ":80x", ":ftp", ":8 0", " :80", "[127.0.0.1:80", "::1]:80", "[[::1]]:80"],
    ...["127.0.0.300:80", "1.2.3:80", "a b:80", "[::g]:80", "http://x:80", "a/b:80", "é:80"],
    `${"a".repeat(300)}:80`,
    `:${"9".repeat(400)}`,
  ])("%p is refused by its name", (text) => {
    expect(refusal(PLAIN, "--addr", text)).toStartWith(`invalid value ${quote(text)} for --addr: `);
  });

  test("any IPv4 address and port", () => {
    const port = fc.integer({ min: 0, max: 65_535 });
    fc.assert(
      fc.property(fc.ipV4(), port, (hostname, number) => {
        fc.pre(hostname !== "0.0.0.0");
        const { addr } = run(PLAIN, `-addr=${hostname}:${number}`);
        expect(addr).toEqual({ hostname, port: number });
      }),
    );
  });

  test("whatever is written, nothing is thrown, and every port exists", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[[\]:.%0-9a-f]*$/)), (text) => {
        const parsed = parseOptions([PLAIN, "--addr", text]);
        if (parsed.kind === "run" && parsed.run.role === "all-in-one") {
          expect(parsed.run.options.addr.port).toBeWithin(0, 65_536);
        } else {
          expect(parsed).toMatchObject({ kind: "error", exitCode: 2 });
        }
      }),
    );
  });
});

describe("arguments that are no options", () => {
  test("are named in a warning, for the options after them are lost", () => {
    const options = run("-disable-tls", "true", "-addr", ":80");
    expect(options.addr.port).toBe(443);
    expect(options.warnings).toEqual([expect.stringMatching(/^"true" and whatever follows it/)]);
  });

  test.each([
    [
      "frobnicate",
      '"frobnicate" is no command and no flag: the commands are core, http-frontend, distinct-count, simulate',
    ],
    ["cor", '"cor" is no command and no flag: did you mean core?'],
    ["http-fronted", '"http-fronted" is no command and no flag: did you mean http-frontend?'],
  ])("a first word that is no command is refused: %s", (word, message) => {
    expect(refusal(word, PLAIN)).toBe(message);
  });

  test("unknown flags are refused", () => {
    expect(refusal(PLAIN, "--max-client=5")).toBe(
      'unknown flag "--max-client": did you mean --max-clients?',
    );
  });
});

describe("the modes", () => {
  test("help comes at once, whatever stands around it", () => {
    expect(parseOptions(["--acme-email=x", "-h", "--bogus"])).toEqual({
      kind: "help",
      text: formatUsage(),
    });
  });

  test("the version needs no transport", () => {
    expect(parseOptions(["--version"])).toEqual({ kind: "version" });
    expect(refusal("--version", "--bogus")).toBe('unknown flag "--bogus"');
    expect(parseOptions(["--version=false", PLAIN]).kind).toBe("run");
  });

  test("the configuration is checked before it is printed", () => {
    expect(refusal("--print-config", "--cert=c.pem")).toBe("--cert is of no use without --key");
    expect(parseOptions(["--print-config", PLAIN, "x"])).toMatchObject({
      kind: "print-config",
      warnings: [expect.stringContaining('"x"')],
    });
  });
});

/** What `--print-config` prints for a command line that must be fit to run. */
describe("roles", () => {
  const parsedAs = (role: Role, ...args: string[]) => {
    const commandLine = parseOptions(args, role);
    if (commandLine.kind !== "run") throw new Error(JSON.stringify(commandLine));
    return commandLine.run;
  };

  test("a core takes what matching goes by, and needs a socket", () => {
    const parsed = parsedAs("core", "--socket=s", "--max-clients=9", "--metrics-log=m");
    expect(parsed).toMatchObject({ role: "core", options: { socket: "s", maxClients: 9 } });
    expect(parseOptions([], "core")).toMatchObject({
      kind: "error",
      message: "core needs --socket (see --help)",
    });
    expect(parseOptions(["--socket=s", "--addr=:80"], "core")).toMatchObject({
      kind: "error",
      message: "--addr is no flag of core: leave it out (see --help)",
    });
  });

  test("an http-frontend takes the flags of upstream's split, and none of matching", () => {
    const parsed = parsedAs(
      "http-frontend",
      ...["-socket", "s", "-addr", ":81", "-disable-tls", "-metrics-log", "m", "-unsafe-logging"],
    );
    expect(parsed).toMatchObject({
      role: "http-frontend",
      options: { socket: "s", addr: { port: 81 }, metricsLog: "m", unsafeLogging: true },
    });
    expect(parseOptions(["--socket=s", "--max-clients=1"], "http-frontend")).toMatchObject({
      kind: "error",
    });
  });

  test("a worker listens and logs as it is said of all", () => {
    const { workerArguments } = runDefaultRole(
      ...[PLAIN, "--workers=2", "--addr=[::1]:80", "--log-format=json", "--max-clients=1"],
    );
    const parsed = parsedAs("http-frontend", "--socket=s", PLAIN, ...workerArguments);
    expect(parsed).toMatchObject({
      options: { addr: { hostname: "::1", port: 80 }, logFormat: "json" },
    });
    expect(refusal(PLAIN, "--workers=2", "--addr=:0")).toContain("--workers needs one port");
    expect(refusal(PLAIN, "--workers=-1")).toContain("auto, or an integer");
  });
});
