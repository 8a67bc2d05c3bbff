/** Where and how the program listens, as the command line says: addresses, certificates, or plain HTTP. */

import { isIP } from "node:net";

import { parseAcmeHostnames } from "../tls/acme/hostnames.ts";
import type { AcmeOptions, ListenAddress, Transport } from "../tls/transport.ts";
import { quote } from "./go-flag.ts";
import type { AnyOption, OptionTable } from "./option-table.ts";

/** A value, or why there is none. */
export type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** The first of the ways to serve that was asked for, in the order of the Go broker, so that its unit files mean the same. */
export function chooseTransport(table: OptionTable, warnings: string[]): Checked<Transport> {
  const { acmeHostnames, acmeEmail, acmeCertCache, cert, key, disableTls, http3 } = table;
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
    if (http3.value) return refuse("--http3 needs TLS: it is of no use with --disable-tls");
    return choose("--disable-tls is", { kind: "plain" }, [cert, key, acmeEmail, acmeCertCache]);
  }
  for (const [option, other] of [[cert, key] as const, [key, cert] as const]) {
    if (option.value !== "") return refuse(`--${option.name} is of no use without --${other.name}`);
  }
  // Whoever started this process has warned of what there is to warn of.
  if (table.untilStdinCloses.value) return { ok: true, value: { kind: "stdin" } };
  return refuse("TLS needs --acme-hostnames or --cert and --key, plain HTTP needs --disable-tls");
}

/** Whether the command line makes the option something else than it is without. */
export function isSet(option: AnyOption): boolean {
  return option.text !== option.defaultText;
}

export function refuse(error: string): { readonly ok: false; readonly error: string } {
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
export function parseListenAddress(option: AnyOption, defaultPort: number): Checked<ListenAddress> {
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
