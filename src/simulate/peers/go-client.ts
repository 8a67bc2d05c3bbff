/** A person with the Go client, from the first attempt to a proxy to a channel that opens. */

import type { OfferOutcome } from "../../broker/broker.ts";
import type { NatType } from "../../messages/nat-type.ts";
import { writeDescription } from "../../messages/session-description.ts";
import type { Random } from "../random.ts";
import type { LostTime, Setback } from "../tally.ts";
import { Connection, type Field } from "./field.ts";
import { canConnect, type ClientTraits } from "./traits.ts";

/** The least ms from the start of an attempt to that of the next: client/lib/snowflake.go, ReconnectTimeout. */
const RECONNECT_TIMEOUT = 10_000;

/** ms after an answer at which a channel that does not open is given up: client/lib/snowflake.go, DataChannelTimeout. */
const CHANNEL_TIMEOUT = 10_000;

/** How long WebRTC needs to open a channel, in ms. An assumption: 100 on the loopback interface, and round trips. */
const OPENING_TIME = { least: 300, most: 1_500 } as const;

export class GoClient {
  readonly #field: Field;
  readonly #traits: ClientTraits;
  readonly #random: Random;
  #firstAttempt = 0;
  #attempts = 0;
  /** A channel failed while it claimed a NAT type that it did not know. */
  #failedClaim = false;
  readonly #lost: LostTime = { denied: 0, timedOut: 0, channelFailed: 0, unreachable: 0 };

  constructor(field: Field, traits: ClientTraits, random: Random) {
    this.#field = field;
    this.#traits = traits;
    this.#random = random;
  }

  /** The person wants to connect, now. */
  begin(): void {
    this.#firstAttempt = this.#field.clock.now();
    this.#field.tally.personCame(this.#firstAttempt);
    this.#attempt();
  }

  /** When the person gives up. */
  get #end(): number {
    return this.#firstAttempt + this.#traits.patience;
  }

  /**
   * What it says of its NAT. Since commit 94b6647d (December 2024, client/lib/rendezvous.go, NATPolicy) a client that does
   * not know tries the proxies that are plenty first. Older ones say so, and only open proxies serve them.
   */
  #nat(): NatType {
    const { natKnownAfter, open, generation } = this.#traits;
    if (this.#attempts >= natKnownAfter) return open ? "unrestricted" : "restricted";
    return generation === "newest" && !this.#failedClaim ? "unrestricted" : "unknown";
  }

  #attempt(): void {
    const { clock, tally } = this.#field;
    const started = clock.now();
    if (started >= this.#end) return tally.gaveUp(this.#firstAttempt);
    const nat = this.#nat();
    const isClaim = nat === "unrestricted" && this.#attempts < this.#traits.natKnownAfter;
    this.#attempts++;
    this.#in(this.#traits.latency, () => this.#offer(started, nat, isClaim));
  }

  #offer(started: number, nat: NatType, isClaim: boolean): void {
    const { broker, clock, tally } = this.#field;
    const { id, address, rendezvous, latency } = this.#traits;
    const connection = new Connection();
    const hangUp =
      this.#end === Infinity ? undefined : clock.callAt(this.#end, () => connection.close());
    const description = writeDescription(`offer ${id}`);
    const offer = { offer: description, nat, fingerprint: undefined, address, rendezvous };
    const ended = (outcome: OfferOutcome | undefined) => {
      hangUp?.();
      const now = clock.now();
      if (connection.aborted) return tally.gaveUp(this.#firstAttempt);
      if (outcome?.kind === "denied") tally.denied(now, nat);
      if (outcome?.kind === "timed-out") tally.timedOut(now);
      const answer = outcome?.kind === "answered" ? outcome.answer : undefined;
      this.#in(latency, () => {
        if (answer !== undefined) this.#connect(started, answer, isClaim);
        else this.#again(started, setbackOf(outcome));
      });
    };
    broker.offer(offer, connection).then(ended, () => ended(undefined));
  }

  #connect(started: number, answer: string, isClaim: boolean): void {
    const { clock, sessions, tally } = this.#field;
    const answered = clock.now();
    const session = sessions.get(answer);
    if (session === undefined || !canConnect(this.#field, this.#traits, session.traits)) {
      this.#channelFailed(started, answered, isClaim);
      return;
    }
    this.#in(this.#random.between(OPENING_TIME.least, OPENING_TIME.most), () => {
      if (session.open(this.#traits.stay, () => this.#comeBack()))
        tally.matched(this.#firstAttempt, answered, this.#lost);
      else this.#channelFailed(started, answered, isClaim);
    });
  }

  /** The channel has broken: the loop that keeps one channel open looks after it when its timer fires. */
  #comeBack(): void {
    this.#in(this.#random.between(0, RECONNECT_TIMEOUT), () => this.begin());
  }

  #channelFailed(started: number, answered: number, isClaim: boolean): void {
    const { clock, tally } = this.#field;
    tally.channelFailed(clock.now());
    if (isClaim) this.#failedClaim = true;
    this.#in(answered + CHANNEL_TIMEOUT - clock.now(), () => this.#again(started, "channelFailed"));
  }

  /** Tries again when the reconnect timer of the last attempt has fired. */
  #again(started: number, setback: Setback): void {
    const next = Math.max(started + RECONNECT_TIMEOUT, this.#field.clock.now());
    this.#lost[setback] += next - started;
    this.#in(next - this.#field.clock.now(), () => this.#attempt());
  }

  #in(delay: number, callback: () => void): void {
    this.#field.clock.callAt(this.#field.clock.now() + delay, callback);
  }
}

function setbackOf(outcome: OfferOutcome | undefined): Setback {
  if (outcome === undefined) return "unreachable";
  return outcome.kind === "timed-out" ? "timedOut" : "denied";
}
