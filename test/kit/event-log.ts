/** What a broker told of its work, as words in order. */

import type { Offer, Poll } from "../../src/broker/broker.ts";
import type { BrokerEvents, OfferEnd, PolicyAct, PollEnd } from "../../src/broker/events.ts";
import type { ProxyType } from "../../src/messages/proxy-type.ts";
import { descriptionText } from "../../src/messages/session-description.ts";

export class EventLog implements BrokerEvents {
  readonly words: string[] = [];

  pollReceived(poll: Poll): void {
    this.words.push(`${poll.sid} received`);
  }

  pollAdmitted(poll: Poll): void {
    this.words.push(`${poll.sid} admitted`);
  }

  pollEnded(poll: Poll, end: PollEnd, elapsed: number): void {
    this.words.push(`${poll.sid} ${end} after ${elapsed}`);
  }

  offerEnded(offer: Offer, end: OfferEnd, elapsed: number): void {
    this.words.push(`${descriptionText(offer.offer)} ${end} after ${elapsed}`);
  }

  answerEnded(delivered: ProxyType | undefined): void {
    this.words.push(`answer of ${delivered ?? "nobody"}`);
  }

  policyActed(act: PolicyAct): void {
    this.words.push(act);
  }

  /** How often each word group that begins with the given text was said. */
  count(ending: string): number {
    return this.words.filter((word) => word.includes(ending)).length;
  }
}
