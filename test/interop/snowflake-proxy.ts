import { ChildProcess } from "./child-process.ts";

/** Goes to any relay it is told to. */
const ANY_RELAY = ["-allowed-relay-hostname-pattern", "$"] as const;

/**
 * Nothing listens there. Its NAT probe is the one thing that a proxy asks of a server outside, by https, and Go sends no
 * request for loopback through an HTTP proxy; so the probe ends here and the NAT type stays unknown.
 */
const NOWHERE = { HTTPS_PROXY: "http://127.0.0.1:9" } as const;

/** What the newest version needs besides: it refuses relays on loopback, and polls only when the relay of its own answers. */
export function newestProxyFlags(relayUrl: string): readonly string[] {
  return [
    "-allow-proxying-to-private-addresses",
    ...["-nat-probe-server", "http://127.0.0.1:9/probe", "-relay", relayUrl],
  ];
}

export interface SnowflakeProxyOptions {
  /** The program; it is searched for in PATH unless it is a path. */
  readonly program: string;
  readonly brokerUrl: string;
  readonly stunUrl: string;
  /** Flags that only this version of the program knows. */
  readonly flags?: readonly string[];
  /** A file with the certificates of all authorities that the proxy shall trust. */
  readonly authorityFile?: string;
}

/** A volunteer's proxy, which polls the broker from the moment it starts. */
export function startSnowflakeProxy(options: SnowflakeProxyOptions): ChildProcess {
  const trust = options.authorityFile === undefined ? {} : { SSL_CERT_FILE: options.authorityFile };
  return new ChildProcess(
    [
      ...[options.program, "-broker", options.brokerUrl, "-stun", options.stunUrl],
      ...["-keep-local-addresses", "-allow-non-tls-relay", ...ANY_RELAY, "-verbose"],
      ...(options.flags ?? []),
    ],
    { env: { ...NOWHERE, ...trust } },
  );
}

/** The same by a line for the shell, which is completed with flags. */
export function startSnowflakeProxyByShell(line: string): ChildProcess {
  return new ChildProcess(["sh", "-c", `exec ${line} "$@"`, "sh", ...ANY_RELAY], { env: NOWHERE });
}
