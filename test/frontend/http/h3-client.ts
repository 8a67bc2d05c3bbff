/** Clients of HTTP/3. The runtime's own keeps one connection to each origin. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { isObject } from "../../../src/tls/acme/problem.ts";

const PEER = join(import.meta.dir, "h3-peer.ts");

/** What a client in a process of its own got: its connection is nobody else's. */
export interface H3Answer {
  /** Undefined: there was none. */
  readonly status: number | undefined;
  /** The body, or why there is none. */
  readonly text: string;
}

/** A request over HTTP/3, on this process's connection. The certificate is not looked at. */
export function fetchH3(url: string, init: BunFetchRequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, protocol: "http3", tls: { rejectUnauthorized: false } });
}

/** A POST over HTTP/3; the text of the response. */
export async function postH3(url: string, body: string): Promise<string> {
  return (await fetchH3(url, { method: "POST", body })).text();
}

export interface PostOptions {
  readonly body?: string;
  /** The address that a reverse proxy would name. */
  readonly forwardedFor?: string;
  /** A PEM file of the only certificate that the server may have, which has to be for the host of the URL. */
  readonly caFile?: string;
}

/** A POST over HTTP/3 on a new connection. */
export async function postH3Alone(url: string, options: PostOptions = {}): Promise<H3Answer> {
  const client = Bun.spawn([process.execPath, PEER, JSON.stringify({ ...options, url })], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: options.caFile },
  });
  const answer: unknown = JSON.parse(await client.stdout.text());
  if (!isObject(answer)) throw new Error("the peer said nothing that makes sense");
  const { status, text } = answer;
  return { status: typeof status === "number" ? status : undefined, text: String(text) };
}

/** The UDP sockets that have the port, on whatever IPv4 address: their inodes. */
export function udpSockets(port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return readFileSync("/proc/net/udp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .flatMap(([, local = "", , , , , , , , inode = ""]) =>
      local.endsWith(`:${hex}`) ? [inode] : [],
    );
}

/** A body of one byte whose end never comes. */
export function stalledBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array([0x31])),
  });
}
