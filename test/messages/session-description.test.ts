import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { decodeClientPoll } from "../../src/messages/client-poll.ts";
import { formatJsonString } from "../../src/messages/json-string.ts";
import { decodeProxyAnswer } from "../../src/messages/proxy-answer.ts";
import {
  descriptionText,
  isWritten,
  writeDescription,
} from "../../src/messages/session-description.ts";

/** Texts with all that can be written in several ways, or not at all. */
const pieces = fc.constantFrom(
  ...["v=0", "\r\n", "\n", "\t", '"', "\\", "\\r", "/", "<", ">", "&", "é", "\u2028", "\u2029"],
  ...[
    "\ud800",
    "\udc00",
    "\u{1f600}",
    "\u0000",
    "\u001f",
    "\u007f",
    " ",
    "a=candidate:1",
    "[",
    "]",
  ],
);
const sdp = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));
const usualSdp = fc
  .array(fc.constantFrom("v=0", "\r\n", " ", "a=candidate:1 ~!#"))
  .map((parts) => parts.join(""));
const type = fc.constantFrom("offer", "answer", "pranswer", "rollback", "Offer", "", "offer\n");
const description = fc.oneof(
  fc
    .tuple(type, fc.oneof(sdp, usualSdp))
    .map(([is, text]) => JSON.stringify({ type: is, sdp: text })),
  fc.tuple(type, sdp).map(([is, text]) => JSON.stringify({ sdp: text, type: is })),
  fc
    .tuple(type, sdp)
    .map(([is, text]) => JSON.stringify({ type: is, sdp: text, more: [1] }, undefined, 1)),
  sdp,
);
/** Ways of writing a string in JSON: as it is usual, with each character escaped, as Go does, with escaped slashes. */
const writing = fc.constantFrom(
  (text: string) => JSON.stringify(text),
  (text: string) =>
    `"${text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`,
  (text: string) => formatJsonString(text),
  (text: string) => JSON.stringify(text).replaceAll("/", "\\/"),
);

/** What `JSON.parse` has to say of a description. */
function isDescription(text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof value !== "object" || value === null || !("type" in value) || !("sdp" in value))
    return false;
  const known = ["offer", "answer", "pranswer", "rollback"];
  return known.some((one) => value.type === one) && typeof value.sdp === "string";
}

/** What `JSON.parse` finds as the offer of a message; undefined: the message is none. */
function offerIn(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || !("offer" in value)) return undefined;
    return typeof value.offer === "string" ? value.offer : undefined;
  } catch {
    return undefined;
  }
}

describe("however a peer writes a description, it is refused or goes on as it would after decoding and encoding it", () => {
  test("offers", () => {
    fc.assert(
      fc.property(description, writing, (text, write) => {
        const decoded = decodeClientPoll(`1.0\n{"offer":${write(text)},"nat":"open"}`);
        expect(decoded.ok).toBe(isDescription(text));
        if (decoded.ok) expect(decoded.value.offer.toString()).toBe(formatJsonString(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("answers", () => {
    fc.assert(
      fc.property(description, writing, (text, write) => {
        const body = `{"Version":"1.3","Sid":"s","Answer":${write(text)},"x":"a=candidate"}`;
        const decoded = decodeProxyAnswer(body);
        expect(decoded.ok).toBe(isDescription(text));
        if (decoded.ok) expect(decoded.value.answer.toString()).toBe(formatJsonString(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a usual body with a few characters changed is read as JSON.parse reads it", () => {
  const usual = JSON.stringify('{"type":"offer","sdp":"v=0\\r\\na=candidate:1\\r\\n"}');
  const change = fc.record({
    at: fc.nat({ max: usual.length }),
    cut: fc.integer({ min: 0, max: 3 }),
    insert: fc.constantFrom(
      ...[
        "",
        '"',
        "\\",
        '\\"',
        "\\\\",
        "\\\\r",
        "\\r",
        "}",
        "{",
        "<",
        "&",
        ",",
        '","x":"',
        "\n",
        "\u0000",
      ],
      ...[
        "\\u0022",
        "\\u003c",
        "\\/",
        " ",
        "\u007f",
        "\u2028",
        "é",
        "\ud83d",
        'sdp":1,"',
        '\\",\\"sdp\\":\\"',
      ],
    ),
  });
  const changed = fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce(
        (text, { at, cut, insert }) => text.slice(0, at) + insert + text.slice(at + cut),
        usual,
      ),
    );
  let valid = 0;
  fc.assert(
    fc.property(changed, (literal) => {
      const body = `{"offer":${literal},"nat":"open"}`.toWellFormed();
      const text = offerIn(body);
      const decoded = decodeClientPoll(`1.0\n${body}`);
      expect(decoded.ok).toBe(text !== undefined && isDescription(text));
      if (!decoded.ok || text === undefined) return;
      valid++;
      expect(decoded.value.offer.toString()).toBe(formatJsonString(text));
      expect(isWritten(decoded.value.offer)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
  expect(valid).toBeGreaterThan(200);
});

test("a written description is one JSON string and nothing behind it", () => {
  const piece = fc.constantFrom('"', "\\", "\\\\", '\\"', "a", ",", ":", "é");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (parts) => {
      const text = parts.join("");
      expect(isWritten(text)).toBe(/^"(?:[^"\\]|\\[^])*"$/.test(text));
      expect(isWritten(`"${text}"`)).toBe(/^(?:[^"\\]|\\[^])*$/.test(text));
    }),
    { numRuns: 5_000 },
  );
});

test("the text of a description is that which was written", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(descriptionText(writeDescription(text))).toBe(text);
    }),
  );
});

test("the last description of a message counts, null leaves it, and what follows a usual one is read", () => {
  const usual = JSON.stringify('{"type":"offer","sdp":"1"}');
  const unusual = JSON.stringify('{"sdp":"2","type":"offer"}');
  const offerOf = (members: string) => {
    const decoded = decodeClientPoll(`1.0\n{${members},"nat":"open"}`);
    return decoded.ok ? descriptionText(decoded.value.offer) : decoded.error;
  };
  expect(offerOf(`"offer":${usual},"OFFER":${unusual}`)).toInclude('"2"');
  expect(offerOf(`"offer":${unusual},"offer":${usual}`)).toInclude('"1"');
  expect(offerOf(`"offer":${usual},"offer":null`)).toInclude('"1"');
  expect(offerOf(`"offer":${usual},"offer":""`)).toBe("no supplied offer");
  expect(offerOf(`"offer":${usual},"offer":1`)).toStartWith("invalid JSON");
  expect(offerOf(`"offer":${usual}x`)).toStartWith("invalid JSON");
  expect(offerOf(`"offer":${usual.slice(0, -1)}`)).toStartWith("invalid JSON");
});
