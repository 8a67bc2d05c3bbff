/** Messages that never reach the broker, so that they can be counted. */

import type { Refusal } from "../messages/decoded.ts";

/** What a message that was refused claimed to be. */
export type MessageRoute = "client" | "proxy" | "answer";

const ROUTES: Readonly<Record<MessageRoute, true>> = { client: true, proxy: true, answer: true };

/** Why a message was refused: what is wrong with it, or why it could not be read. */
export type RefusalReason = Refusal | "too-long" | "broken";

const REASONS: Readonly<Record<RefusalReason, true>> = {
  version: true,
  json: true,
  "session-id": true,
  "relay-pattern": true,
  "no-description": true,
  description: true,
  fingerprint: true,
  "nat-type": true,
  candidate: true,
  "too-long": true,
  broken: true,
};

/** Whether a word from elsewhere is a route. */
export function isMessageRoute(word: string): word is MessageRoute {
  return Object.hasOwn(ROUTES, word);
}

/** Whether a word from elsewhere is a reason. */
export function isRefusalReason(word: string): word is RefusalReason {
  return Object.hasOwn(REASONS, word);
}

/** Told of every refusal: counts it and returns. */
export interface RefusalEvents {
  refused(route: MessageRoute, reason: RefusalReason): void;
}

/** For a frontend whose refusals nobody counts. */
export const NO_REFUSAL_EVENTS: RefusalEvents = { refused() {} };
