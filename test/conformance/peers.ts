/** What proxies and clients say to a broker under test, and what they are told. */

import { expect } from "bun:test";

/** A reply as its peer sees it. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A proxy's poll; what is not given is that of an ordinary proxy on an address of its own. */
export interface PollFields {
  readonly type?: string;
  readonly nat?: string;
  readonly clients?: number;
  readonly pattern?: string;
  /** Headers that tell its address. */
  readonly from?: readonly (readonly [string, string])[];
}

/** A client's message; what is not given is left out. */
export interface OfferFields {
  readonly nat?: string;
  readonly fingerprint?: string;
}

/** A poll's reply taken apart. */
export interface PollReply {
  readonly status: string;
  readonly offer: string;
  readonly nat: string;
  /** In ms. */
  readonly nextPoll: number;
  readonly relayUrl: string;
}

/** How long anything may take that happens at once, in ms. */
export const AT_ONCE = 3_000;
/** How often `/debug` is looked at, in ms. */
const LOOK_AGAIN = 2;

export const SUCCESS = '{"Status":"success"}';
export const CLIENT_GONE = '{"Status":"client gone"}';
export const NO_PROXIES = '{"error":"no snowflake proxies currently available"}';
export const TIMED_OUT = '{"error":"timed out waiting for answer!"}';

/** A request whose reply may be long in coming. */
export class Exchange {
  readonly reply: Promise<Reply>;
  readonly #connection = new AbortController();

  constructor(url: string, init: BunFetchRequestInit) {
    this.reply = request(url, { ...init, signal: this.#connection.signal });
    // A test may end before it; whoever awaits the reply still sees that it failed.
    this.reply.catch(() => undefined);
  }

  /** Closes the connection. */
  hangUp(): void {
    this.#connection.abort();
  }

  async text(): Promise<string> {
    return (await this.reply).text;
  }
}

async function request(url: string, init: BunFetchRequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The peers of one broker. */
export class Peers {
  readonly #url: string;
  #addresses = 0;

  /** `url` ends with a slash. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a body as it is. */
  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: readonly (readonly [string, string])[] = [],
  ): Exchange {
    return new Exchange(this.#url + path, {
      method: "POST",
      body,
      headers: headers.map(([name, value]) => [name, value]),
    });
  }

  poll(sid: string, fields: PollFields = {}): Exchange {
    const message = {
      Sid: sid,
      Version: "1.3",
      Type: fields.type ?? "standalone",
      NAT: fields.nat ?? "unrestricted",
      Clients: fields.clients ?? 0,
      AcceptedRelayPattern: fields.pattern ?? "snowflake.torproject.net$",
    };
    return this.post("proxy", JSON.stringify(message), fields.from ?? this.newAddress());
  }

  offer(offer: string, fields: OfferFields = {}): Exchange {
    return this.post("client", `1.0\n${JSON.stringify({ offer, ...fields })}`);
  }

  answer(sid: string, answer: string): Exchange {
    return this.post("answer", JSON.stringify({ Version: "1.3", Sid: sid, Answer: answer }));
  }

  async debug(): Promise<string> {
    return (await request(`${this.#url}debug`, {})).text;
  }

  /** Resolves when the broker has so many sessions, waiting or matched; rejects after a few seconds. */
  async untilSessions(count: number): Promise<void> {
    const end = performance.now() + AT_ONCE;
    for (;;) {
      const [line = ""] = (await this.debug()).split("\n");
      if (line === `current snowflakes available: ${count}`) return;
      if (performance.now() > end) throw new Error(`never ${count} sessions, but ${line}`);
      await Bun.sleep(LOOK_AGAIN);
    }
  }

  /** The headers of a proxy on an address that no other has. */
  newAddress(): (readonly [string, string])[] {
    const n = ++this.#addresses;
    return [["X-Forwarded-For", `10.0.${n >> 8}.${n & 0xff}`]];
  }
}

/** A session description, as an offer or an answer. */
export function description(type: "offer" | "answer", name: string): string {
  return JSON.stringify({ type, sdp: `a=candidate ${name}` });
}

export const OFFER = description("offer", "o");
export const ANSWER = description("answer", "a");

const POLL_REPLY =
  /^\{"Status":"([^"\\]*)","Offer":("(?:[^"\\]|\\.)*"),"NAT":"([a-z]*)","NextPoll":(-?\d+),"RelayURL":"([^"\\]*)"\}$/;

/** Reads a poll's reply: five members in this order and nothing more. Throws if it is anything else. */
export function parsePollReply(text: string): PollReply {
  const match = POLL_REPLY.exec(text);
  if (match === null) throw new Error(`not the reply to a poll: ${text}`);
  const [, status = "", offer = "", nat = "", nextPoll = "", relayUrl = ""] = match;
  return { status, offer: String(JSON.parse(offer)), nat, nextPoll: Number(nextPoll), relayUrl };
}

/** Expects a reply to have this status and the headers that every reply to a peer has. */
export function expectReply(reply: Reply, status: number): void {
  expect(reply.status).toBe(status);
  expect(reply.headers.get("access-control-allow-origin")).toBe("*");
  expect(reply.headers.get("access-control-allow-headers")).toBe("Origin, X-Session-ID");
  const type = reply.text === "" ? null : "text/plain; charset=utf-8";
  expect(reply.headers.get("content-type")).toBe(type);
}
