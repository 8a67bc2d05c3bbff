/** What Prometheus is told of the rendezvous through SQS. */

import type { SqsEvents } from "../../frontend/sqs/sqs-events.ts";
import type { CountedFamilies } from "./counted-families.ts";

/** The events of the rendezvous as one family; it is empty, hence not shown, where there is no such rendezvous. */
export function sqsFamily(families: CountedFamilies): SqsEvents {
  const events = families.roundedCounter(
    "sqs_events_total",
    "The number of events of the rendezvous through SQS",
    ["event"],
  );
  const count = (event: string) => events.add({ event });
  return {
    received: () => count("received"),
    ignored: (reason) => count(`ignored-${reason}`),
    replied: () => count("replied"),
    replyFailed: (step) => count(`reply-failed-${step}`),
    deleteFailed: () => count("delete-failed"),
    receiveFailed: () => count("receive-failed"),
    queueCleaned: () => count("queue-cleaned"),
  };
}
