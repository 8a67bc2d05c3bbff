import { expect, test } from "bun:test";

import { failureKind, failureText } from "../../../src/frontend/sqs/failure.ts";
import { serviceError } from "./fake-sqs.ts";

const refused = Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" });

test.each([
  ["the service's", serviceError("AccessDenied", "no"), "AccessDenied", "AccessDenied: no"],
  ["the system's", refused, "ECONNREFUSED", "ECONNREFUSED: connect refused"],
  ["the parser's", new SyntaxError('unexpected "1.0\\n{"offer'), "SyntaxError", "SyntaxError"],
  ["with a number", Object.assign(new Error("secret"), { code: 7 }), "Error", "Error"],
  ["of text", "secret", "unknown", "unknown"],
  ["of nothing", undefined, "unknown", "unknown"],
])("a failure %s has a kind, and says no more than is safe", (_, error, kind, text) => {
  expect(failureKind(error)).toBe(kind);
  expect(failureText(error)).toBe(text);
});
