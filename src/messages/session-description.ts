/** The session description that an offer or an answer is, and how it travels inside messages: as a JSON string. */

import { copyText } from "./copied-text.ts";
import { accept, type Decoded, refuse } from "./decoded.ts";
import { closingQuote, JsonReader } from "./json-reader.ts";
import { formatJsonString } from "./json-string.ts";

declare const sessionDescription: unique symbol;

/**
 * A session description as it is written in messages to peers: a JSON string literal, quotes included. So what a peer
 * wrote in the usual way goes on to the other one as it came, and is never decoded or encoded.
 */
export type SessionDescription = string & { readonly [sessionDescription]: true };

/**
 * How nearly every peer writes one: type before SDP, and nothing in it that is written in several ways. This pattern
 * finds faults in half the time that `JSON.parse` takes for the outer string alone.
 */
const USUAL =
  /"\{\\"type\\":\\"(?:offer|answer|pranswer|rollback)\\",\\"sdp\\":\\"[ !#-%'-;=?-[\]-~]*(?:\\\\[rn][ !#-%'-;=?-[\]-~]*)*\\"\}"/y;

/** A description that is known to be one, or a text that may be one. */
export type ReadDescription = SessionDescription | { readonly text: string };

/** What a message without a description has in its place. */
export const NO_DESCRIPTION: ReadDescription = { text: "" };

/** Reads a member that should be a session description; `before` if it is null or no string. */
export function readDescription(json: JsonReader, before: ReadDescription): ReadDescription {
  const literal = json.literal(USUAL);
  if (literal !== undefined && isWritten(literal)) return literal;
  const text = json.string(undefined);
  return text === undefined ? before : { text };
}

/**
 * Checks that what was read is a session description: a JSON object with a known `type` and an `sdp` string. The SDP
 * itself is not looked at. Refused with the words that peers know; `missing` are those for an empty text. `message` is
 * what it was cut from: the description does not keep one in memory that is much longer.
 */
export function checkDescription(
  read: ReadDescription,
  message: string,
  missing: string,
): Decoded<SessionDescription> {
  if (typeof read === "string") {
    return accept(2 * read.length > message.length ? read : writeAgain(read));
  }
  if (read.text === "") return refuse("no-description", missing);
  const fault = faultOf(read.text);
  return fault === undefined
    ? accept(writeDescription(read.text))
    : refuse("description", `malformed session description: ${fault}`);
}

/** The description that has this text, which must be one. */
export function writeDescription(text: string): SessionDescription {
  const literal = formatJsonString(text);
  if (!isWritten(literal)) throw new Error("a JSON string begins and ends with a quote");
  return literal;
}

/** The text of a description: a JSON object. */
export function descriptionText(description: SessionDescription): string {
  const text: unknown = JSON.parse(description);
  if (typeof text !== "string") throw new Error("a session description that is no string");
  return text;
}

/**
 * Whether this is how a description is written, where whoever wrote it has checked the rest: it begins and ends with a
 * quote and has no other that is not escaped, so it can't add members to the message that it is put into. This costs a
 * fraction of what `JSON.parse` takes.
 */
export function isWritten(literal: string): literal is SessionDescription {
  const last = literal.length - 1;
  return literal.startsWith('"') && last > 0 && closingQuote(literal, 1) === last;
}

function writeAgain(description: SessionDescription): SessionDescription {
  const copy = copyText(description);
  return isWritten(copy) ? copy : description;
}

const TYPES = new Set(["offer", "answer", "pranswer", "rollback"]);

function faultOf(text: string): string | undefined {
  let hasType = false;
  let hasSdp = false;
  let type: string | undefined;
  let sdpIsString = false;

  const json = new JsonReader(text, { finiteNumbers: true });
  for (let name = json.firstMember(); name !== undefined; name = json.nextMember()) {
    if (name === "type") {
      hasType = true;
      type = json.stringOrNothing();
    } else if (name === "sdp") {
      hasSdp = true;
      sdpIsString = json.skip() === "string";
    } else {
      json.skip();
    }
  }

  if (json.error !== undefined) return json.error;
  if (!hasType) return "cannot deserialize SessionDescription without type field";
  if (!hasSdp) return "cannot deserialize SessionDescription without sdp field";
  if (type === undefined) return "invalid SDP type";
  if (!sdpIsString) return "invalid SDP";
  return TYPES.has(type) ? undefined : "Unknown SDP type";
}
