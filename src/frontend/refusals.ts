/** Messages that never reach the broker, so that they can be counted. */

import type { Refusal } from "../messages/decoded.ts";

/** What a message that was refused claimed to be. */
export type MessageRoute = "client" | "proxy" | "answer";

/** Why a message was refused: what is wrong with it, or why it could not be read. */
export type RefusalReason = Refusal | "too-long" | "broken";

/** Told of every refusal: counts it and returns. */
export interface RefusalEvents {
  refused(route: MessageRoute, reason: RefusalReason): void;
}

/** For a frontend whose refusals nobody counts. */
export const NO_REFUSAL_EVENTS: RefusalEvents = { refused() {} };
