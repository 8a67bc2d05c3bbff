/**
 * The load of the rotation's test, in a process of its own: proxies that poll and answer, clients that offer, peers that
 * keep their connection, busy or mostly idle, and peers that open one for every request. Its arguments are the server's port and how many of
 * each there are. It ends when its standard input does, and then prints what it counted, as JSON.
 */

import {
  assertAnswerReply,
  assertClientReply,
  encodeClientPoll,
  formatNonce,
  formatOffer,
} from "../../bench/messages.ts";
import { takeProxyTurn } from "../../bench/proxy-turn.ts";
import { Counts } from "./counts.ts";
import { type Answer, TlsConnection } from "./tls-connection.ts";

const counts = new Counts();

/** Aborts when the load is to end. */
const ending = new AbortController();

/** Milliseconds between two requests of one who keeps a connection, and between two attempts of a failing peer. */
const PAUSE = 20;

/**
 * Milliseconds since its last answer after which a connection counts as idle. The old server asks to leave for 500; the
 * rest is for answers that are looked at late.
 */
const IDLE = 200;

/** Somebody who keeps a connection as long as the server lets it. */
class Peer {
  readonly #port: number;
  readonly #address: string;
  #connection: TlsConnection | undefined;
  #lastAnswer = 0;

  constructor(port: number, address: string) {
    this.#port = port;
    this.#address = address;
  }

  /** The answer; undefined: it was lost, and counted. */
  async ask(path: string, body = ""): Promise<Answer | undefined> {
    if (this.#connection?.isOpen === false) this.#connection = undefined;
    const kept = this.#connection !== undefined;
    const idle = performance.now() - this.#lastAnswer > IDLE;
    try {
      this.#connection ??= await TlsConnection.open(this.#port);
      const answer = await this.#connection.request(path, body, this.#address);
      this.#lastAnswer = performance.now();
      if (answer.isLast) this.hangUp();
      return answer;
    } catch (error) {
      this.#connection = undefined;
      if (ending.signal.aborted) return undefined;
      counts.add(kept ? (idle ? "lost on idle" : "lost on kept") : "lost on fresh");
      counts.add(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      await Bun.sleep(PAUSE);
      return undefined;
    }
  }

  hangUp(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

async function beProxy(peer: Peer): Promise<void> {
  const post = async (path: string, body: string) => (await peer.ask(path, body))?.body;
  while (!ending.signal.aborted) {
    const turn = await takeProxyTurn(post, { nat: "unrestricted" });
    if (turn.kind === "lost") continue;
    counts.add("polls");
    if (turn.kind === "idle" || turn.reply === undefined) continue;
    if (!ending.signal.aborted) assertAnswerReply(turn.reply);
  }
}

async function beClient(peer: Peer, serial: number): Promise<void> {
  for (; !ending.signal.aborted; serial++) {
    const nonce = formatNonce(serial);
    const reply = await peer.ask("/client", encodeClientPoll(formatOffer(nonce), "restricted"));
    if (reply === undefined || ending.signal.aborted) continue;
    assertClientReply(reply.body, nonce, "client");
    counts.add("matches");
    await Bun.sleep(PAUSE);
  }
}

async function keepAsking(peer: Peer, pause: () => number, as: string): Promise<void> {
  while (!ending.signal.aborted) {
    if ((await peer.ask("/robots.txt"))?.status === 200) counts.add(as);
    await Bun.sleep(pause());
  }
}

async function comeAndGo(port: number): Promise<void> {
  while (!ending.signal.aborted) {
    const peer = new Peer(port, "192.0.2.1");
    if ((await peer.ask("/robots.txt"))?.status === 200) counts.add("fresh");
    peer.hangUp();
  }
}

const [port = 0, proxies = 0, clients = 0, keeping = 0, idling = 0, fresh = 0] = process.argv
  .slice(2)
  .map(Number);
let addresses = 0;
const newPeer = () => {
  const number = addresses++;
  return new Peer(port, `203.0.${number >> 8}.${number & 255}`);
};

const running = Array.from({ length: proxies }, newPeer).map(beProxy);
for (let i = 0; i < clients; i++) running.push(beClient(newPeer(), i * 1_000_000));
for (let i = 0; i < keeping; i++) {
  running.push(keepAsking(newPeer(), () => PAUSE, "kept"));
}
for (let i = 0; i < idling; i++) {
  running.push(keepAsking(newPeer(), () => 400 + 800 * Math.random(), "idle"));
}
for (let i = 0; i < fresh; i++) running.push(comeAndGo(port));

for await (const _ of process.stdin);
ending.abort();
await Promise.all(running);
console.log(counts.format());
process.exit(0);
