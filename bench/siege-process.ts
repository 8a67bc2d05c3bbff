/** Peers that take a server's time and places for nothing, in a process of their own. */

import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { type Option, parseOptions, requiredCount } from "./options.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "where the server listens on 127.0.0.1" },
  peers: { type: "string", value: "N", help: "peers" },
  tls: { type: "boolean", help: "the server speaks TLS" },
};

/** Connections that begin in a second. */
const PACE = 300;
/** Milliseconds from one byte of a slow peer to the next. */
const DRIP = 3_000;
/** Milliseconds until a peer that was cut off, or has nothing more to do, comes again; at random up to twice that. */
const PAUSE = 20_000;

const POLL = `{"Sid":"s","Version":"1.3","NAT":"unrestricted","AcceptedRelayPattern":"$"}`;
const HEAD = "POST /client HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n";
/** The beginning of a ClientHello. */
const HELLO = Buffer.from("16030102000100", "hex");

/** What a peer does with its connection. */
type Conduct = (raw: Socket, speak: () => Socket) => void;

/** `speak`: begins TLS where the server has it. */
const CONDUCTS: Readonly<Record<string, Conduct>> = {
  silent() {},
  "slow head": (_, speak) => drip(speak(), HEAD),
  "slow body": (_, speak) => drip(speak(), `${HEAD}\r\n`),
  "slow reader"(_, speak) {
    const socket = speak();
    socket.pause();
    socket.write("GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000));
  },
  "half-closed": (_, speak) =>
    speak().end(`POST /proxy HTTP/1.1\r\nHost: x\r\nContent-Length: ${POLL.length}\r\n\r\n${POLL}`),
  garbage: (raw) => void raw.write(crypto.getRandomValues(Buffer.alloc(300))),
};

const TLS_CONDUCTS: Readonly<Record<string, Conduct>> = {
  ...CONDUCTS,
  "stops in its handshake": (raw) => void raw.write(HELLO),
  "garbage inside TLS": (raw, speak) => {
    const socket = speak();
    socket.once("secureConnect", () => raw.write(crypto.getRandomValues(Buffer.alloc(300))));
  },
};

/** Sends a byte from time to time. */
function drip(socket: Socket, start: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write("x"), DRIP);
  socket.once("close", () => clearInterval(timer));
}

function live(port: number, tls: boolean, conduct: Conduct): void {
  const raw = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  let spoken: TLSSocket | undefined;
  raw.on("error", () => {});
  raw.once("connect", () => {
    conduct(raw, () => {
      if (!tls) return raw;
      spoken = connectTls({ socket: raw, rejectUnauthorized: false });
      spoken.on("error", () => {});
      return spoken;
    });
  });
  // A half-closed peer waits for the other end; all others wait to be cut off.
  raw.once("end", () => raw.destroy());
  raw.once("close", () => {
    spoken?.destroy();
    setTimeout(live, PAUSE * (1 + Math.random()), port, tls, conduct);
  });
}

if (import.meta.main) {
  const given = parseOptions(process.argv.slice(2), OPTIONS);
  const tls = given.switches.has("tls");
  const conducts = Object.values(tls ? TLS_CONDUCTS : CONDUCTS);
  const port = requiredCount(given, "port", 1);
  const peers = requiredCount(given, "peers", 1);
  const started = performance.now();
  for (let peer = 0; peer < peers; peer++) {
    const conduct = conducts[peer % conducts.length];
    if (conduct !== undefined) live(port, tls, conduct);
    const early = (1000 * peer) / PACE - (performance.now() - started);
    if (early > 0) await Bun.sleep(early);
  }
  process.send?.("all have come");
}
