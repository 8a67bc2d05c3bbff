/** Where TLS ends, and where to listen. */

import type { AcmeHostnames } from "./acme/hostnames.ts";

/** Where TLS ends, and whose certificate it is. `cert` and `key` are paths of PEM files. */
export type Transport =
  | ({ readonly kind: "acme" } & AcmeOptions)
  | { readonly kind: "tls"; readonly cert: string; readonly key: string }
  /** Certificates come over standard input, from the process that started this one. */
  | { readonly kind: "stdin" }
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
