/** What an operator has to mend when messages of the cluster are ignored. */

import type { IgnoreReason } from "./cluster-events.ts";

const EXPLANATIONS: Readonly<Record<IgnoreReason, string>> = {
  "too-large": "it is larger than any that a node sends: somebody else uses these subjects",
  malformed: "it is none of a node: somebody else uses these subjects",
  "other-version": "its node has another version: upgrade the nodes that have the older one",
  forged:
    "it was not sealed with our secret: give every node the same --cluster-secret, and other clusters another --cluster-name",
  replayed: "it came before: somebody repeats messages",
  "other-time": "its node's clock is more than a minute off, or it is old: synchronise the clocks",
  late: "its node does not wait any more: this node was busy or stopped, or the network is slow",
  "too-many-nodes": "more than 1,000 nodes came within two minutes: a node starts again and again",
};

export function explainIgnored(reason: IgnoreReason): string {
  return `a message of the cluster is ignored (${reason}): ${EXPLANATIONS[reason]}`;
}
