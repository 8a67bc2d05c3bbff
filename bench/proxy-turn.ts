/** What a generated proxy does in turn, in the load of the bench and in those of the tests. */

import {
  BadReply,
  encodeProxyAnswer,
  encodeProxyPoll,
  findNonce,
  formatAnswer,
  formatOffer,
  makeSid,
  parseProxyReply,
} from "./messages.ts";

/** Posts a body and returns that of the response. Where a peer may lose its connection, undefined says that it has. */
type Post<Reply extends string | undefined> = (path: string, body: string) => Promise<Reply>;

export interface ProxyTurnOptions {
  /** The proxy's NAT type. */
  readonly nat: string;
  /** Called when the poll waits no more. */
  readonly onPolled?: () => void;
  /** Called with the nonce of an offer. The answer is sent when it resolves. */
  readonly onOffer?: (nonce: string) => Promise<void>;
}

/** How a turn ended: the poll was lost, no client came, or a client's offer was answered. */
export type ProxyTurn<Reply extends string | undefined> =
  | { readonly kind: "lost" }
  | { readonly kind: "idle" }
  | { readonly kind: "answered"; readonly nonce: string; readonly reply: Reply };

/** One poll of a proxy, and the answer if a client came. Throws BadReply for an offer that no generated client makes. */
export async function takeProxyTurn<Reply extends string | undefined>(
  post: Post<Reply>,
  { nat, onPolled, onOffer }: ProxyTurnOptions,
): Promise<ProxyTurn<Reply>> {
  const sid = makeSid();
  let reply: Reply;
  try {
    reply = await post("/proxy", encodeProxyPoll(sid, nat));
  } finally {
    onPolled?.();
  }
  if (reply === undefined) return { kind: "lost" };
  const offer = parseProxyReply(reply);
  if (offer === undefined) return { kind: "idle" };
  const nonce = findNonce(offer);
  if (nonce === undefined || offer !== formatOffer(nonce)) {
    throw new BadReply("/proxy: not an offer that was made");
  }
  await onOffer?.(nonce);
  const answer = encodeProxyAnswer(sid, formatAnswer(nonce));
  return { kind: "answered", nonce, reply: await post("/answer", answer) };
}
