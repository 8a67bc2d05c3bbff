/** A handler for peers that others wrote. */

import type { BodySource, Exchange, Handler, Reply } from "../../../src/http/message.ts";
import { OK } from "./peer.ts";

/** Bytes of what `/long` replies. */
export const LONG = 2_000_000;
const PIECE = 50_000;

export const ECHO_FIELDS: ReadonlySet<string> = new Set(["x-echo", "host"]);

/**
 * `/`: a short body. `/long`: a long body, piece by piece. `/wait`: no reply; `onWaiting` gets the exchange.
 * `/echo-field`: the field `X-Echo`. All else: the body, or what is wrong with it.
 */
export function echo(onWaiting: (exchange: Exchange) => void = () => {}): Handler {
  return ({ target, fields, body }, exchange) => {
    if (target === "/wait") {
      onWaiting(exchange);
      return;
    }
    const replies: Record<string, () => Reply["body"]> = {
      "/": () => "hello world",
      "/long": longBody,
      "/echo-field": () => fields.get("x-echo"),
    };
    const copy = typeof body === "string" ? body : Buffer.from(body);
    exchange.reply({ head: OK, body: (replies[target] ?? (() => copy))() });
  };
}

function longBody(): BodySource {
  return {
    length: LONG,
    async read() {
      await Promise.resolve();
      return Buffer.alloc(PIECE, "l");
    },
    close() {},
  };
}
