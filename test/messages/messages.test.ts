import { describe, expect, test } from "bun:test";

import { decodeClientPoll, encodeClientError } from "../../src/messages/client-poll.ts";
import { decodeProxyAnswer } from "../../src/messages/proxy-answer.ts";
import { decodeProxyPoll } from "../../src/messages/proxy-poll.ts";
import { writeDescription } from "../../src/messages/session-description.ts";
import { decodeUtf8 } from "../../src/messages/utf8.ts";
import vectors from "../vectors/messages.json";

/** The reference's words for JSON that doesn't parse begin like this; ours are our own, with the same status. */
const JSON_ERROR =
  /^(malformed session description: )?(invalid character|unexpected end of JSON|json: )/;

const DEFAULT_FINGERPRINT = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";

for (const endpoint of ["/client", "/proxy", "/answer"]) {
  describe(endpoint, () => {
    for (const vector of vectors.cases.filter((one) => one.endpoint === endpoint)) {
      test(vector.name, () => {
        const decoded = decode(endpoint, bodyOf(vector));
        expect(decoded.ok).toBe(vector.accepted);
        if (decoded.ok) {
          const value: unknown = decoded.value;
          expect(value).toEqual(expectedFields(endpoint, bodyOf(vector), vector.fields ?? {}));
        } else if (endpoint === "/client") {
          const reason = vector.go_error ?? "";
          if (JSON_ERROR.test(reason)) expect(decoded.error).toContain("invalid JSON: ");
          else expect(encodeClientError(decoded.error)).toBe(vector.http_body ?? "");
        }
      });
    }
  });
}

interface Vector {
  readonly input_base64: string;
  readonly generator?: string | undefined;
}

function bodyOf(vector: Vector): string {
  const repeat = /followed by (\d+) '\['/.exec(vector.generator ?? "");
  if (repeat !== null) return `1.0\n${"[".repeat(Number(repeat[1]))}`;
  return decodeUtf8(Buffer.from(vector.input_base64, "base64"));
}

function decode(endpoint: string, body: string) {
  if (endpoint === "/client") return decodeClientPoll(body);
  return endpoint === "/proxy" ? decodeProxyPoll(body) : decodeProxyAnswer(body);
}

/** The vector's fields as our types have them. */
function expectedFields(
  endpoint: string,
  body: string,
  fields: Readonly<Record<string, string | number | null | undefined>>,
): unknown {
  const text = (name: string) => String(fields[name]);
  if (endpoint === "/client") {
    // Which bridge is the default is decided by the bridge list, not by the message.
    const named = text("fingerprint").toUpperCase();
    const fingerprint =
      named === DEFAULT_FINGERPRINT && !body.includes(text("fingerprint")) ? undefined : named;
    return { offer: writeDescription(text("offer")), nat: text("nat"), fingerprint };
  }
  if (endpoint === "/answer") return { sid: text("Sid"), answer: writeDescription(text("Answer")) };
  return {
    sid: text("Sid"),
    type: text("Type"),
    nat: text("NAT"),
    clients: Number(fields["Clients"]),
    relayPattern: fields["AcceptedRelayPattern"],
  };
}
