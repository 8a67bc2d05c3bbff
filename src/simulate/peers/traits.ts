/** What peers are, and which of them can connect: facts that no peer knows of another. */

import type { RendezvousMethod } from "../../broker/broker.ts";
import type { Address } from "../../messages/address.ts";
import type { NatType } from "../../messages/nat-type.ts";
import type { ProxyType } from "../../messages/proxy-type.ts";
import { fixedChance } from "../random.ts";

/** What peers of both sides have. */
interface PeerTraits {
  /** Different for all peers of one side. */
  readonly id: number;
  /** Whether a peer behind a restricted NAT can reach it. */
  readonly open: boolean;
  /** Two letters. */
  readonly country: string;
  /** ms that a message needs to the broker, or back. */
  readonly latency: number;
}

export interface ProxyTraits extends PeerTraits {
  readonly address: Address;
  readonly type: ProxyType;
  /** What its probe of its NAT found out. */
  readonly nat: NatType;
  /** Most clients at a time; Infinity: no limit but that of the program. */
  readonly capacity: number;
  /** No channel to it ever opens. */
  readonly useless: boolean;
  /** The probability that it never answers an offer that it was given. */
  readonly silence: number;
  /** The probability that a poll's connection has died when its offer is sent. */
  readonly death: number;
}

export interface ClientTraits extends PeerTraits {
  /** undefined: a front hides it. */
  readonly address: Address | undefined;
  readonly rendezvous: RendezvousMethod;
  /** What it says while it does not know its NAT type: the newest claim "unrestricted" until that has failed once. */
  readonly generation: "newest" | "older";
  /** Attempts before it knows its NAT type; Infinity: it never does. */
  readonly natKnownAfter: number;
  /** ms after the first attempt at which the person gives up; Infinity: never. */
  readonly patience: number;
  /** ms that the person stays connected. */
  readonly stay: number;
}

/**
 * Whether a channel between the two opens. It never changes for a pair. Two restricted NATs can't traverse each other
 * (the probe of the Snowflake proxy tests exactly that, proxy/lib/snowflake.go, checkNATType). A proxy in the client's
 * own country is behind the same censor and does not reach the bridge: an assumption.
 */
export function canConnect(
  { seed, unluckyPairs }: { readonly seed: number; readonly unluckyPairs: number },
  client: ClientTraits,
  proxy: ProxyTraits,
): boolean {
  return (
    !proxy.useless &&
    (client.open || proxy.open) &&
    client.country !== proxy.country &&
    fixedChance(seed, client.id, proxy.id) >= unluckyPairs
  );
}
