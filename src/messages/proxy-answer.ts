/** A proxy's answer to the offer it was given. */

import { copyText } from "./copied-text.ts";
import { accept, type Decoded, refuse } from "./decoded.ts";
import { JsonMembers } from "./json-members.ts";
import { isProxyVersion } from "./proxy-poll.ts";
import {
  checkDescription,
  NO_DESCRIPTION,
  type ReadDescription,
  readDescription,
  type SessionDescription,
} from "./session-description.ts";
import { isSessionId, LONGEST_SESSION_ID, type SessionId } from "./session-id.ts";

export interface ProxyAnswer {
  readonly sid: SessionId;
  /** Its text is passed on to the client exactly as it came. */
  readonly answer: SessionDescription;
}

interface Members {
  version: string;
  sid: string;
  answer: ReadDescription;
}

const MEMBERS = new JsonMembers<Members>({
  Version: (json, it) => (it.version = json.string(it.version)),
  Sid: (json, it) => (it.sid = json.string(it.sid)),
  Answer: (json, it) => (it.answer = readDescription(json, it.answer)),
});

/** Decodes the body of an answer. The `error` of a refusal is for the log: proxies only get status 400. */
export function decodeProxyAnswer(body: string): Decoded<ProxyAnswer> {
  // The raw body is searched: an answer whose candidates are spelt with escapes is refused, as it always was.
  if (!body.includes("a=candidate")) return refuse("candidate", "no ICE candidate");

  const message: Members = { version: "", sid: "", answer: NO_DESCRIPTION };
  const error = MEMBERS.read(body, message);
  if (error !== undefined) return refuse("json", error);
  if (!isProxyVersion(message.version)) return refuse("version", "unsupported message version");
  // Cut before it is copied: a text that is too long is refused either way.
  const sid = copyText(message.sid.slice(0, LONGEST_SESSION_ID + 1));
  if (!isSessionId(sid)) return refuse("session-id", "no session id, or too long a one");
  const answer = checkDescription(message.answer, body, "no answer");
  return answer.ok ? accept({ sid, answer: answer.value }) : answer;
}

/** The response to an answer: whether its client was still there to take it. */
export function encodeAnswerStatus(status: "success" | "client gone"): string {
  return `{"Status":"${status}"}`;
}
