/** What peers may send over HTTP/1, mostly nearly right, and what two readers make of it. */

import fc from "fast-check";

import { outcomeOf, replyTo } from "./conversation.ts";
import { type Reading, readSlowly } from "./slow-parser.ts";

const lineEnd = fc.oneof(
  { weight: 60, arbitrary: fc.constant("\r\n") },
  fc.constantFrom("\n", "\r", "\r\r\n", "\n\r\n", ""),
);

const method = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom("GET", "POST", "HEAD", "OPTIONS", "a~9") },
  fc.constantFrom("CONNECT", "G T", "", "get\t"),
);
const target = fc.oneof(
  { weight: 15, arbitrary: fc.constantFrom("/", "/a?b%zz", "http://y/a", "/%41", "/\xe9") },
  { weight: 2, arbitrary: fc.constantFrom("*", "y:1", "[::1%25a]", "x+1://[::1]:5#a") },
  fc.constantFrom("", "a", "/%zz", "http://", "http://y?%", "/a b", "/\x7f", "http://u@y"),
);
const version = fc.oneof(
  { weight: 25, arbitrary: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.0") },
  fc.constantFrom("HTTP/1.2", "HTTP/2.0", "HTTP/1.1 ", "HTTP/1.", "http/1.1", "HTTP/1.10", ""),
);

const field = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom("X-A: 1", "x-a:2\t", "X-B: b", "X-Forwarded-For: 1, 2"),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      "Connection: close",
      "connection: Keep-Alive, x",
      "Expect: 100-continue",
      "Transfer-Encoding: chunked",
      "Content-Length: 5",
      "Content-Length: 12",
      "Content-Length: 0",
    ),
  },
  fc.constantFrom(
    "Host: x",
    "host: [::1]",
    "Host: x y",
    "Host:",
    "Content-Length: 05",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length:",
    "Content-Length : 5",
    "Content-Length: 100001",
    "Content-Length: 9007199254740993",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: CHUNKED ",
    "Transfer-Encoding:\x0bchunked",
    "Transfer_Encoding: chunked",
    "Expect: tea",
    "Expect: tea, 100-Continue",
    "X-A : 1",
    " X-A: 1",
    "\tfolded",
    ": 1",
    "X-A",
    "X-A: \0",
    "X-A: \xff",
    "X\xe9: 1",
    "X-A: a\rb",
    "Connection: closed",
    "Proxy-Connection: close",
  ),
);

const chunk = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: fc.string({ maxLength: 20 }) }, fc.constant("x".repeat(300))),
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom("", ";a=b", " ; c", " ") },
      fc.constantFrom("x", ";\r", ";\n", "\t\0"),
    ),
    fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, 100_000)),
    lineEnd,
    lineEnd,
  )
  .map(([data, extension, wrong, afterSize, afterData]) => {
    const size = Math.max(0, data.length + wrong).toString(16);
    return `${size}${extension}${afterSize}${data}${afterData}`;
  });

const trailers = fc.array(fc.tuple(fc.constantFrom("X-A: 1", "Host: y", "bad", "X : 1"), lineEnd), {
  maxLength: 2,
});

const body = fc.oneof(
  fc.constantFrom("", "hello", "hello world!", "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n"),
  fc
    .tuple(fc.array(chunk, { maxLength: 4 }), lineEnd, trailers, lineEnd)
    .map(
      ([chunks, end, fields, last]) => `${chunks.join("")}0${end}${fields.flat().join("")}${last}`,
    ),
);

/** A request whose framing goes with its body. */
const proper = fc
  .tuple(fc.constantFrom("GET", "POST"), fc.string({ maxLength: 30 }), fc.boolean())
  .map(([name, text, chunked]) => {
    const framing = chunked
      ? `Transfer-Encoding: chunked\r\n\r\n${text === "" ? "" : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n`
      : `Content-Length: ${text.length}\r\n\r\n${text}`;
    return `${name} /${text.length} HTTP/1.1\r\nHost: x\r\n${framing}`;
  });

const odd = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("", "", "\r\n", "\n") },
      fc.constantFrom("\r\n\r\n", "\r"),
    ),
    method,
    fc.oneof({ weight: 20, arbitrary: fc.constant(" ") }, fc.constantFrom("  ", "\t")),
    target,
    version,
    lineEnd,
    fc.oneof({ weight: 15, arbitrary: fc.constant("Host: x\r\n") }, fc.constant("")),
    fc.array(fc.tuple(field, lineEnd), { maxLength: 4 }),
    lineEnd,
    body,
  )
  .map(([before, name, space, path, protocol, end, host, fields, last, content]) =>
    [before, name, space, path, " ", protocol, end, host, ...fields.flat(), last, content].join(""),
  );

/** A place, how many bytes there go, and what comes instead. */
const change = fc.tuple(
  fc.nat(400),
  fc.constantFrom(0, 0, 1, 1, 2),
  fc.constantFrom(
    "",
    "\r",
    "\n",
    "\r\n",
    " ",
    "\t",
    ":",
    "\0",
    "0",
    "5",
    ";",
    ",",
    "%",
    "\xff",
    "\x80",
    "Host: x\r\n",
  ),
);

/** All that a peer sends, and where it is cut. */
export const sent = fc.tuple(
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 3, arbitrary: proper }, { weight: 2, arbitrary: odd }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(change, { maxLength: 3 })),
    )
    .map(([requests, changes]) => {
      let text = requests.join("");
      for (const [at, gone, instead] of changes) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + instead + text.slice(start + gone);
      }
      return text;
    }),
  fc.array(fc.nat(500), { maxLength: 6 }),
);

/** What the reader of ours makes of a text that comes in these pieces, and what the slow one makes of the whole. */
export function readTwice(
  text: string,
  places: readonly number[],
): { ours: Reading; slow: Reading } {
  const ends = [...new Set(places.map((at) => at % (text.length + 1)))].toSorted((a, b) => a - b);
  const pieces = [...ends, text.length].map((end, at) => text.slice(ends[at - 1] ?? 0, end));
  const { requests, replies, state } = outcomeOf(pieces.filter((piece) => piece !== ""));
  return {
    ours: { requests, ending: endingOf(replies, state === "open") },
    slow: readSlowly(text),
  };
}

/** The status after which the connection ended, unless that is the handler's. */
function endingOf(replies: string, open: boolean): Reading["ending"] {
  if (open) return "open";
  const statuses = [...replies.matchAll(/HTTP\/1\.[01] (\d+) ([^\r]*)\r\n/g)];
  const [, status = "", words = ""] = statuses.at(-1) ?? [];
  return status === String(replyTo({ target: "" }).head.status)
    ? "closed"
    : `${Number(status)} ${words}`;
}
