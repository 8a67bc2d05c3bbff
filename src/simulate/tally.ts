/** What a run counts, as its peers see it. Nothing counts before the measured time begins. */

import type { NatType } from "../messages/nat-type.ts";

/** Parts of the measured time that figures are kept for, to be plotted. */
export const PARTS = 48;

/** What happened in one part of the measured time. */
export interface PartCounts {
  people: number;
  /** Of the people that came in this part. */
  matched: number;
  /** ms, the sum over these. */
  waited: number;
  denied: number;
  polls: number;
}

/** Why an attempt led nowhere; `unreachable`: nobody listened. */
export type Setback = "denied" | "timedOut" | "channelFailed" | "unreachable";

/** The ms that a person lost by each: from the start of an attempt that led nowhere to that of the next. */
export type LostTime = Record<Setback, number>;

export class Tally {
  readonly #from: number;
  readonly #length: number;
  readonly parts: readonly PartCounts[] = Array.from({ length: PARTS }, () => ({
    people: 0,
    matched: 0,
    waited: 0,
    denied: 0,
    polls: 0,
  }));
  /** For each person that got a match that works: ms from the first attempt. */
  readonly times: number[] = [];
  /** The sum of what these lost on the way. */
  readonly lost: LostTime = { denied: 0, timedOut: 0, channelFailed: 0, unreachable: 0 };
  /** Denials of clients that only open proxies can serve. */
  deniedOpenOnly = 0;
  timeouts = 0;
  channelFailures = 0;
  people = 0;
  gaveUpPeople = 0;
  denials = 0;
  polls = 0;

  /** Measures for `length` ms from the time `from`. */
  constructor(from: number, length: number) {
    this.#from = from;
    this.#length = length;
  }

  personCame(now: number): void {
    const part = this.#partOf(now);
    if (part === undefined) return;
    this.people++;
    part.people++;
  }

  /** The person whose first attempt was then got the answer of a proxy that works. */
  matched(firstAttempt: number, answered: number, lost: Readonly<LostTime>): void {
    const part = this.#partOf(firstAttempt);
    if (part === undefined) return;
    this.lost.denied += lost.denied;
    this.lost.timedOut += lost.timedOut;
    this.lost.channelFailed += lost.channelFailed;
    this.lost.unreachable += lost.unreachable;
    this.times.push(answered - firstAttempt);
    part.matched++;
    part.waited += answered - firstAttempt;
  }

  gaveUp(firstAttempt: number): void {
    if (this.#partOf(firstAttempt) !== undefined) this.gaveUpPeople++;
  }

  denied(now: number, nat: NatType): void {
    const part = this.#partOf(now);
    if (part === undefined) return;
    this.denials++;
    part.denied++;
    if (nat !== "unrestricted") this.deniedOpenOnly++;
  }

  timedOut(now: number): void {
    if (this.#partOf(now) !== undefined) this.timeouts++;
  }

  channelFailed(now: number): void {
    if (this.#partOf(now) !== undefined) this.channelFailures++;
  }

  pollSent(now: number): void {
    const part = this.#partOf(now);
    if (part === undefined) return;
    this.polls++;
    part.polls++;
  }

  #partOf(time: number): PartCounts | undefined {
    return this.parts[Math.floor(((time - this.#from) / this.#length) * PARTS)];
  }
}
