/** A broker in few lines for tests of the load generator: matches in order of arrival, and makes mistakes on demand. */

import { isRecord } from "../../bench/messages.ts";
import { decodeAmpPath } from "../../src/frontend/ampcache/amp-path.ts";
import { encodeAmpArmor } from "../../src/frontend/ampcache/armor.ts";

export type Fault =
  | "none"
  | "wrong answer"
  | "changed offer"
  | "denied"
  | "too soon"
  | "client gone"
  | "status 500"
  | "not JSON"
  | "not armored";

const AMP_CLIENT = "/amp/client/";

/** A running stub; disposing of it closes its connections. */
export interface StubBroker extends Disposable {
  readonly port: number;
  /** The most polls that ever waited at once. */
  readonly mostWaiting: () => number;
  readonly addresses: ReadonlySet<string>;
  readonly sessionIds: ReadonlySet<string>;
}

interface WaitingPoll {
  readonly sid: string;
  readonly match: (offer: string) => void;
}

/** Starts a stub that makes the same mistake in every match. */
export function startStubBroker(fault: Fault): StubBroker {
  const waiting: WaitingPoll[] = [];
  const answers = new Map<string, (answer: string) => void>();
  const addresses = new Set<string>();
  const sessionIds = new Set<string>();
  let mostWaiting = 0;
  let lastAnswer = "none yet";

  async function takePoll(body: string): Promise<string> {
    const { Sid: sid = "" } = parseStrings(body);
    sessionIds.add(sid);
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.push({ sid, match: resolve });
    mostWaiting = Math.max(mostWaiting, waiting.length);
    const offer = await promise;
    return JSON.stringify({
      Status: fault === "too soon" ? "polled too soon" : "client match",
      Offer: fault === "changed offer" ? offer.replace("IN IP4", "IN IP6") : offer,
      NAT: "unknown",
      NextPoll: 19_999,
      RelayURL: "wss://snowflake.torproject.net/",
    });
  }

  async function takeOffer(body: string): Promise<string> {
    const proxy = fault === "denied" ? undefined : waiting.shift();
    if (proxy === undefined) return '{"error":"no snowflake proxies currently available"}';
    const { promise, resolve } = Promise.withResolvers<string>();
    answers.set(proxy.sid, resolve);
    proxy.match(parseStrings(body.slice("1.0\n".length))["offer"] ?? "");
    const timer = setTimeout(resolve, 200, "late");
    const answer = await promise;
    clearTimeout(timer);
    const previous = lastAnswer;
    lastAnswer = answer;
    return JSON.stringify({ answer: fault === "wrong answer" ? previous : answer });
  }

  async function respond(message: string): Promise<string> {
    return fault === "not JSON" ? "{" : await takeOffer(message);
  }

  function takeAnswer(body: string): string {
    const { Sid: sid = "", Answer: text = "" } = parseStrings(body);
    answers.get(sid)?.(text);
    return `{"Status":"${fault === "client gone" ? "client gone" : "success"}"}`;
  }

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      addresses.add(request.headers.get("X-Forwarded-For") ?? "none");
      const body = await request.text();
      const path = new URL(request.url).pathname;
      if (path === "/proxy") return new Response(await takePoll(body));
      if (path === "/answer") return new Response(takeAnswer(body));
      if (fault === "status 500") return new Response("", { status: 500 });
      if (path.startsWith(AMP_CLIENT)) {
        const decoded = decodeAmpPath(path.slice(AMP_CLIENT.length));
        const message = decoded.ok ? new TextDecoder().decode(decoded.message) : "";
        const response = await respond(message);
        return new Response(fault === "not armored" ? response : encodeAmpArmor(response));
      }
      return new Response(await respond(body));
    },
  });
  const { port } = server;
  if (port === undefined) throw new Error("the stub has no port");
  return {
    port,
    mostWaiting: () => mostWaiting,
    addresses,
    sessionIds,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function parseStrings(json: string): Record<string, string> {
  const value: unknown = JSON.parse(json);
  if (!isRecord(value)) throw new Error("not an object");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, String(member)]));
}
