/** What all peers of a simulation share: time, the broker, and the ways from one peer to another. */

import type { Broker, Departure } from "../../broker/broker.ts";
import type { Clock } from "../../broker/clock.ts";
import { isSessionId, type SessionId } from "../../messages/session-id.ts";
import type { Tally } from "../tally.ts";
import type { ProxyTraits } from "./traits.ts";

export interface Field {
  readonly clock: Clock;
  /** Calls reject while the broker can't be reached. Peers know nothing else of it. */
  readonly broker: Broker;
  readonly tally: Tally;
  /** Sessions whose proxy has answered, by the text of the answer: as an SDP names the proxy that made it. */
  readonly sessions: Map<string, Session>;
  /** What breaks each channel that is open. */
  readonly channels: Set<() => void>;
  readonly seed: number;
  /** The share of pairs that can't connect for reasons that no NAT type tells, such as firewalls. */
  readonly unluckyPairs: number;
}

/** A proxy's side of one match, as a client reaches it past the broker. */
export interface Session {
  readonly traits: ProxyTraits;
  /**
   * Opens the channel for a client that stays for `stay` ms. `onBroken` is called if it breaks before. False if the
   * volunteer has left meanwhile.
   */
  open(stay: number, onBroken: () => void): boolean;
}

/** A peer's connection to the broker. */
export class Connection implements Departure {
  #closed = false;
  readonly #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#closed;
  }

  addEventListener(_: "abort", listener: () => void): void {
    if (!this.#closed) this.#listeners.push(listener);
  }

  /** The broker learns that the peer has gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener();
  }
}

/** Throws if the text can't be a session id. */
export function sessionId(text: string): SessionId {
  if (!isSessionId(text)) throw new Error("this text can't be a session id");
  return text;
}
