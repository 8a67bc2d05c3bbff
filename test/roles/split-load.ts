/**
 * The load of the tests of a split broker: proxies that poll and answer, clients that offer one after the other, each on
 * a connection that it keeps as long as it can. Whatever is lost is put down to the process that was ended; what can't
 * be is unexplained.
 */

import { HttpConnection } from "../../bench/http-connection.ts";
import {
  bodyOf,
  encodeClientPoll,
  formatAnswer,
  formatNonce,
  formatOffer,
  parseObject,
} from "../../bench/messages.ts";
import { takeProxyTurn } from "../../bench/proxy-turn.ts";
import { connectionName } from "../kit/tcp-connections.ts";
import { Counts } from "../tls/counts.ts";

/** Milliseconds that a proxy takes for its answer: some matches are in flight at any time. */
const thinking = () => 25 + 50 * Math.random();

/** How long a poll without a client lasts, in ms: up to 1 s less if it was registered again, and more under load. */
const SHORTEST_IDLE = 8_900;
const LONGEST_IDLE = 12_000;

/** The end of a process, and what may be lost with it. */
export interface Death {
  /** The names of the connections that it held. */
  readonly connections: ReadonlySet<string>;
  /** Whether it was a core: answers to offers that were given out before then find nobody. */
  readonly ofCore: boolean;
  readonly since: number;
  /** When all others knew of it. */
  until: number;
}

/** Somebody who keeps a connection. */
interface Peer {
  readonly number: number;
  connection: HttpConnection | undefined;
  /** The connection's name, when it has brought something. */
  name: string | undefined;
}

export interface LoadSize {
  readonly proxies: number;
  readonly clients: number;
}

export class SplitLoad {
  /** How often there was what. */
  readonly counts = new Counts();
  /** What was lost and should not have been. */
  readonly unexplained: string[] = [];
  /** The longest that a client waited for its answer, in ms. */
  slowest = 0;
  /** Polls without a reply, and clients without one. */
  waiting = 0;
  offering = 0;

  /** The ports of the frontends that live. */
  #frontends: readonly number[];
  readonly #peers: Peer[] = [];
  readonly #clients: Promise<void>[] = [];
  readonly #proxies: Promise<void>[] = [];
  #clientsEnd = false;
  #end = false;
  #death: Death | undefined;
  /** When each offer was last given to a proxy, and those whose client or whose answer died with a socket. */
  readonly #given = new Map<string, number>();
  readonly #clientLost = new Set<string>();
  readonly #answerLost = new Set<string>();
  /** Offers whose answer found nobody, and when they had been given. */
  readonly #forNobody: { readonly nonce: string; readonly given: number }[] = [];

  /** `frontends`: ports, over which the peers are spread evenly. */
  constructor(frontends: readonly number[], { proxies, clients }: LoadSize) {
    this.#frontends = frontends;
    for (let i = 0; i < proxies; i++) this.#proxies.push(this.#beProxy(this.#newPeer()));
    for (let i = 0; i < clients; i++) this.#clients.push(this.#beClient(this.#newPeer(), i));
  }

  /** Call before a process is ended. `connections`: those that it holds; `frontends`: those that stay. */
  announce(death: Omit<Death, "since" | "until">, frontends = this.#frontends): Death {
    this.#frontends = frontends;
    this.#death = { ...death, since: performance.now(), until: Number.POSITIVE_INFINITY };
    return this.#death;
  }

  /** Lets no client come any more; resolves when each has had a reply. */
  async endClients(): Promise<void> {
    this.#clientsEnd = true;
    await Promise.all(this.#clients);
  }

  /** Hangs up, and puts what is left to be explained down to its cause. */
  async stop(): Promise<void> {
    await this.endClients();
    this.#end = true;
    for (const peer of this.#peers) peer.connection?.close();
    await Promise.all(this.#proxies);
    for (const { nonce, given } of this.#forNobody) {
      const death = this.#death;
      if (this.#clientLost.has(nonce)) this.counts.add("answers whose client was lost");
      else if (death?.ofCore === true && given < death.until) {
        this.counts.add("answers whose match died");
      } else this.unexplained.push("/answer: client gone");
    }
  }

  #newPeer(): Peer {
    const peer = { number: this.#peers.length, connection: undefined, name: undefined };
    this.#peers.push(peer);
    return peer;
  }

  async #beProxy(peer: Peer): Promise<void> {
    while (!this.#end) {
      const since = performance.now();
      let given = since;
      this.waiting++;
      try {
        const turn = await takeProxyTurn((path, body) => this.#ask(peer, path, body), {
          nat: "unrestricted",
          onPolled: () => this.waiting--,
          onOffer: (nonce) => {
            given = performance.now();
            this.#given.set(nonce, given);
            return Bun.sleep(thinking());
          },
        });
        if (turn.kind === "idle") this.#onIdle(performance.now() - since);
        else if (turn.kind === "answered") this.#onAnswered(turn.nonce, given, turn.reply);
      } catch (error) {
        this.unexplained.push(String(error));
      }
    }
  }

  #onIdle(elapsed: number): void {
    this.counts.add("idle polls");
    if (elapsed < SHORTEST_IDLE || elapsed > LONGEST_IDLE) {
      this.unexplained.push(`/proxy: idle after ${Math.round(elapsed)} ms`);
    }
  }

  /** `given`: when the proxy got the offer. */
  #onAnswered(nonce: string, given: number, reply: string | undefined): void {
    if (reply === undefined) this.#answerLost.add(nonce);
    else if (statusOf(reply) === "client gone") this.#forNobody.push({ nonce, given });
    else if (statusOf(reply) !== "success") this.unexplained.push(`/answer: ${reply}`);
  }

  async #beClient(peer: Peer, number: number): Promise<void> {
    for (let serial = number * 1_000_000; !this.#clientsEnd; serial++) {
      const nonce = formatNonce(serial);
      const since = performance.now();
      this.offering++;
      const body = encodeClientPoll(formatOffer(nonce), "restricted");
      const reply = await this.#ask(peer, "/client", body);
      this.offering--;
      if (reply === undefined) {
        this.#clientLost.add(nonce);
        continue;
      }
      const { answer, error } = parseObject(reply, "/client");
      if (answer === formatAnswer(nonce)) {
        this.counts.add("matches");
        this.slowest = Math.max(this.slowest, performance.now() - since);
      } else if (error === "timed out waiting for answer!" && this.#diedInFlight(nonce, since)) {
        this.counts.add("clients whose match died");
      } else this.unexplained.push(`/client: ${reply}`);
    }
  }

  /** Whether the match of a client who timed out died with a process: no proxy that lives can have answered. */
  #diedInFlight(nonce: string, since: number): boolean {
    if (this.#death === undefined || since > this.#death.until) return false;
    return !this.#given.has(nonce) || this.#answerLost.has(nonce);
  }

  /** The reply; undefined: it was lost with its connection. */
  async #ask(peer: Peer, path: string, body: string): Promise<string | undefined> {
    const address = `203.0.${peer.number >> 8}.${peer.number & 255}`;
    try {
      const connection = this.#kept(peer) ?? (await this.#connect(peer, address));
      return bodyOf(await connection.post(path, body, address), path);
    } catch (error) {
      peer.connection?.close();
      peer.connection = undefined;
      if (this.#end) return undefined;
      if (this.#isDead(peer)) this.counts.add(`${path} lost`);
      else this.unexplained.push(`${path}: ${String(error)}`);
      return undefined;
    }
  }

  /** The connection that a peer has already, if it has not been closed between two requests. */
  #kept(peer: Peer): HttpConnection | undefined {
    if (peer.connection === undefined || peer.connection.localPort !== undefined) {
      return peer.connection;
    }
    if (!this.#end && !this.#isDead(peer)) this.unexplained.push("a connection was closed");
    return undefined;
  }

  /** Whether its connection was one of those that died with their process. */
  #isDead({ name }: Peer): boolean {
    return name !== undefined && this.#death?.connections.has(name) === true;
  }

  async #connect(peer: Peer, address: string): Promise<HttpConnection> {
    const port = this.#frontends[peer.number % this.#frontends.length];
    if (port === undefined) throw new Error("there is no frontend");
    const since = performance.now();
    const connection = new HttpConnection(port);
    peer.connection = connection;
    peer.name = undefined;
    try {
      await connection.get("/robots.txt", address);
    } catch (error) {
      // Workers share a port, and one that is dying may listen for a moment longer than its connections live.
      if (this.#death === undefined || since > this.#death.until) throw error;
      this.counts.add("new connections lost");
      return this.#connect(peer, address);
    }
    peer.name = connectionName(port, connection.localPort ?? 0);
    return connection;
  }
}

function statusOf(reply: string): unknown {
  return parseObject(reply, "/answer")["Status"];
}
