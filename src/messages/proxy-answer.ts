/** A proxy's answer to the offer it was given. */

import { copyText } from "./copied-text.ts";
import { accept, type Decoded, refuse } from "./decoded.ts";
import { JsonMembers } from "./json-members.ts";
import { isProxyVersion } from "./proxy-poll.ts";
import { sessionDescriptionFault } from "./session-description.ts";
import { isSessionId, LONGEST_SESSION_ID, type SessionId } from "./session-id.ts";

export interface ProxyAnswer {
  readonly sid: SessionId;
  /** The session description, passed on to the client exactly as it came. */
  readonly answer: string;
}

const MEMBERS = new JsonMembers<{ version: string; sid: string; answer: string }>({
  Version: (json, it) => (it.version = json.string(it.version)),
  Sid: (json, it) => (it.sid = json.string(it.sid)),
  Answer: (json, it) => (it.answer = json.string(it.answer)),
});

/** Decodes the body of an answer. The `error` of a refusal is for the log: proxies only get status 400. */
export function decodeProxyAnswer(body: string): Decoded<ProxyAnswer> {
  // The raw body is searched: an answer whose candidates are spelt with escapes is refused, as it always was.
  if (!body.includes("a=candidate")) return refuse("candidate", "no ICE candidate");

  const message = { version: "", sid: "", answer: "" };
  const error = MEMBERS.read(body, message);
  if (error !== undefined) return refuse("json", error);
  const { version, answer } = message;
  if (!isProxyVersion(version)) return refuse("version", "unsupported message version");
  // Cut before it is copied: a text that is too long is refused either way.
  const sid = copyText(message.sid.slice(0, LONGEST_SESSION_ID + 1));
  if (!isSessionId(sid)) return refuse("session-id", "no session id, or too long a one");
  if (answer === "") return refuse("no-description", "no answer");
  const fault = sessionDescriptionFault(answer);
  if (fault !== undefined) return refuse("description", `malformed session description: ${fault}`);
  return accept({ sid, answer });
}

/** The response to an answer: whether its client was still there to take it. */
export function encodeAnswerStatus(status: "success" | "client gone"): string {
  return `{"Status":"${status}"}`;
}
