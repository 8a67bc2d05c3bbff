/**
 * The least that a broker on Bun.serve must do: read the bodies of poll, offer and answer, and reply. It matches
 * nobody; every reply is a constant. With `--hold`, polls wait their 10 s, for the memory of waiting.
 */

import { readFileSync } from "node:fs";

import { CONSTANT_NONCE, formatAnswer, formatOffer } from "./messages.ts";
import { type GivenOptions, type Option, parseOptions, requiredCount } from "./options.ts";

/** How long a poll waits for a client, in ms. */
const POLL_TIMEOUT = 10_000;

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "listens there on 127.0.0.1" },
  cert: { type: "string", value: "FILE", help: "certificate; HTTP/1.1 and HTTP/2 over TLS then" },
  key: { type: "string", value: "FILE", help: "its private key" },
  "disable-tls": { type: "boolean", help: "plain HTTP/1.1, as without --cert" },
  hold: { type: "boolean", help: "polls wait for 10 s" },
};

const MATCH = `{"Status":"client match","Offer":${JSON.stringify(formatOffer(CONSTANT_NONCE))},"NAT":"unrestricted","NextPoll":19999,"RelayURL":"wss://snowflake.torproject.net/"}`;
const NO_MATCH = `{"Status":"no match","Offer":"","NAT":"","NextPoll":9999,"RelayURL":""}`;
const ANSWER = `{"answer":${JSON.stringify(formatAnswer(CONSTANT_NONCE))}}`;
const DELIVERED = `{"Status":"success"}`;

const given = parseOptions(process.argv.slice(2), OPTIONS);
const hold = given.switches.has("hold");
const headers = new Headers({ "Content-Type": "text/plain; charset=utf-8" });

Bun.serve({
  hostname: "127.0.0.1",
  port: requiredCount(given, "port", 1),
  idleTimeout: 60,
  ...transportOf(given),
  async fetch(request) {
    await request.text();
    if (request.url.endsWith("/client")) return new Response(ANSWER, { headers });
    if (request.url.endsWith("/answer")) return new Response(DELIVERED, { headers });
    if (!hold) return new Response(MATCH, { headers });
    await Bun.sleep(POLL_TIMEOUT);
    return new Response(NO_MATCH, { headers });
  },
});

function transportOf({ texts }: GivenOptions) {
  const [cert = "", key = ""] = ["cert", "key"].map((name) => texts.get(name)?.at(-1));
  return cert === ""
    ? {}
    : { tls: { cert: readFileSync(cert), key: readFileSync(key) }, http2: true };
}
