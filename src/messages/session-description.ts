/** The JSON session description that an offer or an answer travels in. */

import { JsonReader } from "./json-reader.ts";

const TYPES = new Set(["offer", "answer", "pranswer", "rollback"]);

/**
 * Checks that a text is a session description: a JSON object with a known `type` and an `sdp` string. The SDP itself
 * is not looked at. Returns what is wrong, in the words peers know, or undefined if all is well.
 */
export function sessionDescriptionFault(text: string): string | undefined {
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
