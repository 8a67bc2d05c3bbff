import { describe, expect, test } from "bun:test";

import { BODY_BYTES, HEAD_FIELDS } from "../../../src/http/limits.ts";
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  type FieldList,
  frame,
  GET,
  headers,
  integer,
  PADDED,
  POST,
  PREFACE,
  PRIORITY,
  reset,
  settings,
  u32,
} from "./frames.ts";
import { CUTS, OK, Peer, replying } from "./peer.ts";

const FIELDS = ["host", "user-agent", "cookie", "x-forwarded-for", "content-length"];

describe.each(CUTS)("%s", (_, cut) => {
  const greeted = () => Peer.greeted({ cut, fields: FIELDS });

  test("the greetings", () => {
    const peer = new Peer({ cut });
    expect(peer.takeShort()).toEqual(["SETTINGS 5", "WINDOW_UPDATE 983041"]);
    peer.send(PREFACE, settings([3, 100], [4, 1000], [99, 1]));
    expect(peer.takeShort()).toEqual(["SETTINGS ack"]);
    peer.send(frame("SETTINGS", 1, 0));
    expect(peer.isAlive).toBe(true);
  });

  test("a GET", () => {
    const peer = greeted();
    peer.send(headers(1, [...GET, ["user-agent", "test"], ["x-other", "not wanted"]]));
    const fields = { host: "a.example", "user-agent": "test" };
    expect(peer.seen).toMatchObject([{ method: "GET", target: "/", fields, body: "" }]);
    expect(peer.exchange.remoteAddress).toBe("192.0.2.1");
  });

  test("a POST in one piece", () => {
    const peer = greeted();
    peer.send(headers(1, [...POST, ["content-length", "5"]], 0), data(1, "hello"));
    const fields = { host: "a.example", "content-length": "5" };
    expect(peer.seen).toMatchObject([{ method: "POST", body: "hello", fields }]);
    expect(peer.wire.held).toBe(0);
  });

  test("a POST in many pieces, padded, its end in a frame of its own", () => {
    const peer = greeted();
    peer.send(headers(1, POST, 0), data(1, "he", 0));
    peer.send(frame("DATA", PADDED, 1, "\x03llo\0\0\0"), data(1, "", 0));
    expect(peer.wire.held).toBeGreaterThan(0);
    peer.send(frame("DATA", PADDED, 1, "\x01\0"), data(1, " you", 0), data(1, ""));
    expect(peer.seen).toMatchObject([{ body: "hello you" }]);
    expect(peer.wire.held).toBe(0);
  });

  test("two bodies that come by turns", () => {
    const peer = greeted();
    peer.send(headers(1, POST, 0), headers(3, POST, 0), data(1, "a", 0), data(3, "b", 0));
    peer.send(data(1, "1", 0), data(3, "2"), data(1, "!"));
    expect(peer.seen.map(({ body }) => body)).toEqual(["b2", "a1!"]);
  });

  test("the longest body, in frames of the longest size, and one byte more", () => {
    const peer = greeted();
    const body = Buffer.alloc(BODY_BYTES, "x");
    const frames = (stream: number, bytes: Buffer) => {
      const pieces = [headers(stream, POST, 0)];
      for (let at = 0; at < bytes.length; at += 16_384) {
        const last = at + 16_384 >= bytes.length;
        pieces.push(data(stream, bytes.subarray(at, at + 16_384), last ? END_STREAM : 0));
      }
      return pieces;
    };
    peer.send(...frames(1, body));
    peer.send(...frames(3, Buffer.alloc(BODY_BYTES + 1, "x")));
    expect(peer.seen.map((seen) => seen.body.length)).toEqual([BODY_BYTES, "(too-long)".length]);
    expect(peer.wire.bounds).toEqual(["body-size"]);
    expect(peer.wire.held).toBe(0);
  });

  test("what is too long is answered before its end, and nothing more of it wanted", () => {
    const peer = Peer.greeted({ cut, handler: replying("no") });
    peer.send(headers(1, POST, 0));
    for (let sent = 0; sent <= BODY_BYTES; sent += 16_000) {
      expect(peer.seen).toEqual([]);
      peer.send(data(1, Buffer.alloc(16_000), 0));
    }
    expect(peer.seen).toMatchObject([{ body: "(too-long)" }]);
    expect(peer.takeShort().slice(-3)).toEqual([
      "1 HEADERS 200",
      "1 DATA 2 end",
      "1 RST_STREAM NO_ERROR",
    ]);
    peer.send(data(1, "still on its way", 0), data(1, "the end"));
    expect(peer.take()).toEqual([]);
    peer.send(data(1, "after the end"));
    expect(peer.takeShort()).toEqual(["1 RST_STREAM STREAM_CLOSED"]);
  });

  test("a block in pieces, with padding and a priority", () => {
    const peer = greeted();
    const bytes = block([...GET, ["cookie", "c".repeat(500)]]);
    const priority = Buffer.concat([u32(0), Buffer.of(16)]);
    const first = Buffer.concat([Buffer.of(2), priority, bytes.subarray(0, 7), Buffer.alloc(2)]);
    peer.send(frame("HEADERS", PADDED | PRIORITY | END_STREAM, 1, first));
    peer.send(frame("CONTINUATION", 0, 1, bytes.subarray(7, 9)), frame("CONTINUATION", 0, 1));
    expect(peer.wire.held).toBeGreaterThan(0);
    peer.send(frame("CONTINUATION", END_HEADERS, 1, bytes.subarray(9)));
    expect(peer.seen).toMatchObject([{ fields: { cookie: "c".repeat(500) } }]);
    expect(peer.wire.held).toBe(0);
  });

  test("trailers end a body, and are dropped", () => {
    const peer = greeted();
    peer.send(headers(1, POST, 0), data(1, "body", 0), headers(1, [["cookie", "late"]]));
    expect(peer.seen).toMatchObject([{ body: "body", fields: { host: "a.example" } }]);
  });

  test("CONNECT names an authority, and has no body", () => {
    const peer = Peer.greeted({ cut, handler: replying("no") });
    peer.send(
      headers(
        1,
        [
          [":method", "CONNECT"],
          [":authority", "b.example:443"],
        ],
        0,
      ),
    );
    expect(peer.seen).toMatchObject([{ method: "CONNECT", target: "b.example:443", body: "" }]);
    expect(peer.takeShort().at(-1)).toBe("1 RST_STREAM NO_ERROR");
  });

  test("OPTIONS * is for the server as such", () => {
    const peer = greeted();
    peer.send(
      headers(1, [
        [":method", "OPTIONS"],
        [":scheme", "http"],
        [":path", "*"],
      ]),
    );
    expect(peer.seen).toMatchObject([{ method: "OPTIONS", target: "*", fields: {} }]);
  });

  test("fields of one name are joined", () => {
    const peer = greeted();
    const fields: FieldList = [
      ...GET,
      ["x-forwarded-for", "192.0.2.7"],
      ["cookie", "a=1"],
      ["x-forwarded-for", "192.0.2.8"],
      ["cookie", "b=2"],
    ];
    peer.send(headers(1, fields));
    const joined = { "x-forwarded-for": "192.0.2.7, 192.0.2.8", cookie: "a=1; b=2" };
    expect(peer.seen).toMatchObject([{ fields: joined }]);
  });

  test("the authority is what Host was, and both are one", () => {
    const peer = greeted();
    peer.send(headers(1, [...GET, ["host", "A.Example"]]));
    peer.send(headers(3, [...GET.slice(0, 3), ["host", "B.Example"]]));
    const hosts = peer.seen.map(({ fields }) => fields["host"]);
    expect(hosts).toEqual(["a.example", "B.Example"]);
  });

  test("who waits for status 100 gets it", () => {
    const peer = greeted();
    peer.send(headers(1, [...POST, ["expect", "100-Continue"]], 0));
    expect(peer.takeShort()).toEqual(["1 HEADERS 100"]);
    peer.send(data(1, "body"));
    expect(peer.seen).toMatchObject([{ body: "body" }]);
    // Who doesn't wait doesn't.
    peer.send(headers(3, [...POST, ["expect", "100-continue"]]));
    expect(peer.take()).toEqual([]);
  });

  const replace = (name: string, value: string): FieldList =>
    GET.map((field) => (field[0] === name ? [name, value] : field));
  const without = (name: string): FieldList => GET.filter((field) => field[0] !== name);
  const MALFORMED: readonly (readonly [what: string, fields: FieldList])[] = [
    ["no method", without(":method")],
    ["no scheme", without(":scheme")],
    ["no path", without(":path")],
    ["an empty method", replace(":method", "")],
    ["an empty path", replace(":path", "")],
    ["an empty authority", replace(":authority", "")],
    ["a method that is no token", replace(":method", "GE T")],
    ["a scheme of another protocol", replace(":scheme", "ftp")],
    ["a path that begins with no slash", replace(":path", "a")],
    ["* for GET", replace(":path", "*")],
    ["a space in the path", replace(":path", "/a b")],
    ["a line end in the path", replace(":path", "/a\r\n")],
    ["a user in the authority", replace(":authority", "user@a.example")],
    ["a path in the authority", replace(":authority", "a.example/b")],
    ["two methods", [...GET.slice(0, 1), ...GET]],
    ["two paths", [...GET, [":path", "/"]]],
    ["two authorities", [...GET, [":authority", "a.example"]]],
    ["two hosts", [...GET, ["host", "a.example"], ["host", "a.example"]]],
    ["a host that differs from the authority", [...GET, ["host", "b.example"]]],
    ["a pseudo-field after others", [...GET.slice(1), ["a", "b"], [":method", "GET"]]],
    ["an unknown pseudo-field", [...GET, [":protocol", "websocket"]]],
    ["a status", [...GET, [":status", "200"]]],
    ["an upper-case name", [...GET, ["Cookie", "a"]]],
    ["an empty name", [...GET, ["", "a"]]],
    ["a space in a name", [...GET, ["a b", "c"]]],
    ["a colon in a name", [...GET, ["a:b", "c"]]],
    ["an 8-bit name", [...GET, ["n\xe4me", "c"]]],
    ["connection", [...GET, ["connection", "close"]]],
    ["keep-alive", [...GET, ["keep-alive", "timeout=5"]]],
    ["proxy-connection", [...GET, ["proxy-connection", "close"]]],
    ["transfer-encoding", [...GET, ["transfer-encoding", "chunked"]]],
    ["upgrade", [...GET, ["upgrade", "h2c"]]],
    ["te with more than trailers", [...GET, ["te", "trailers, gzip"]]],
    ["a line end in a value", [...GET, ["a", "b\nc"]]],
    ["a carriage return in a value", [...GET, ["a", "b\rc"]]],
    ["a NUL in a value", [...GET, ["a", "b\0c"]]],
    ["a control character in a value", [...GET, ["a", "b\x7fc"]]],
    ["a space before a value", [...GET, ["a", " b"]]],
    ["a tab after a value", [...GET, ["a", "b\t"]]],
    ["a length that is no number", [...GET, ["content-length", "-0"]]],
    ["an empty length", [...GET, ["content-length", ""]]],
    ["two lengths", [...GET, ["content-length", "0"], ["content-length", "1"]]],
    ["a length of more than nothing", [...GET, ["content-length", "1"]]],
    ["CONNECT without authority", [[":method", "CONNECT"]]],
    ["CONNECT with a path", replace(":method", "CONNECT")],
  ];
  test.each(MALFORMED)("malformed: %s", (_what, fields) => {
    const peer = greeted();
    peer.send(headers(1, fields));
    expect(peer.takeShort()).toEqual(["1 RST_STREAM PROTOCOL_ERROR"]);
    expect(peer.seen).toEqual([]);
    // Nothing but that stream has ended.
    peer.send(headers(3, GET));
    expect(peer.seen).toHaveLength(1);
  });

  const FINE: readonly (readonly [what: string, fields: FieldList])[] = [
    ["te: trailers", [...GET, ["te", "trailers"]]],
    ["no authority", without(":authority")],
    ["a host in other letter case", [...GET, ["host", "A.Example"]]],
    ["a host instead of an authority", [...without(":authority"), ["host", "a.example"]]],
    ["the same length twice", [...GET, ["content-length", "0"], ["content-length", "0"]]],
    ["an empty value", [...GET, ["a", ""]]],
    ["8-bit values, and tabs in them", [...GET, ["a", "b\xe4\tc"]]],
    ["an 8-bit path", replace(":path", "/\xe4?\xf6")],
    ["an address of IPv6", replace(":authority", "[2001:db8::1]:8443")],
  ];
  test.each(FINE)("fine: %s", (_what, fields) => {
    const peer = greeted();
    peer.send(headers(1, fields));
    expect(peer.take()).toEqual([]);
    expect(peer.seen).toHaveLength(1);
  });

  test.each([
    ["less than the length", "7", [data(1, "hello")]],
    ["more than the length", "3", [data(1, "hello", 0)]],
    ["less, with trailers", "7", [data(1, "hello", 0), headers(1, [["a", "b"]])]],
    ["nothing", "1", [data(1, "")]],
  ])("malformed: %s", (_what, length, frames) => {
    const peer = greeted();
    peer.send(headers(1, [...POST, ["content-length", length]], 0), ...frames);
    expect(peer.takeShort()).toEqual(["1 RST_STREAM PROTOCOL_ERROR"]);
    expect(peer.seen).toEqual([]);
    expect(peer.wire.held).toBe(0);
  });

  test.each([
    ["without an end", headers(1, [["a", "b"]], 0)],
    ["with a pseudo-field", headers(1, [[":path", "/"]])],
    ["with an upper-case name", headers(1, [["A", "b"]])],
  ])("malformed: trailers %s", (_what, trailers) => {
    const peer = greeted();
    peer.send(headers(1, POST, 0), data(1, "hello", 0), trailers);
    expect(peer.takeShort()).toEqual(["1 RST_STREAM PROTOCOL_ERROR"]);
    expect(peer.seen).toEqual([]);
  });

  test("too long a head, and too many fields, get 431", () => {
    const peer = greeted();
    peer.send(headers(1, [...GET, ["a", "b".repeat(15_000)]]));
    expect(peer.seen).toHaveLength(1);
    // With the table 68 KB fit into 4.
    const long = Buffer.concat([
      block(GET),
      Buffer.from("400161", "hex"),
      Buffer.from(integer(4000, 7)),
      Buffer.alloc(4000, "b"),
      Buffer.alloc(16, 0xbe),
    ]);
    peer.send(frame("HEADERS", END_HEADERS | END_STREAM, 3, long));
    expect(peer.takeShort()).toEqual(["3 HEADERS 431 end"]);
    const many = Array.from({ length: HEAD_FIELDS }, (): [string, string] => ["a", "b"]);
    peer.send(headers(5, [...GET, ...many], 0));
    expect(peer.takeShort()).toEqual(["5 HEADERS 431 end", "5 RST_STREAM NO_ERROR"]);
    expect(peer.wire.bounds).toEqual(["head-size", "field-count"]);
    expect(peer.seen).toHaveLength(1);
    // The table is as the peer has it.
    peer.send(
      frame("HEADERS", END_HEADERS | END_STREAM, 7, Buffer.concat([block(GET), Buffer.of(0xbe)])),
    );
    expect(peer.seen).toHaveLength(2);
  });

  test("a stream that was reset is as if it had not been", () => {
    const peer = greeted();
    peer.send(headers(1, POST, 0), data(1, "hel", 0), reset(1));
    expect(peer.wire.held).toBe(0);
    expect(peer.seen).toEqual([]);
    peer.send(headers(3, POST, 0), data(3, "hello"));
    expect(peer.seen).toMatchObject([{ body: "hello" }]);
  });
});

test("a body in one piece is given as it lies in what was received", () => {
  let body: unknown;
  const peer = Peer.greeted({
    handler: (request, exchange) => {
      body = request.body;
      exchange.reply({ head: OK, body: undefined });
    },
  });
  const bytes = Buffer.concat([headers(1, POST, 0), data(1, "hello")]);
  peer.protocol.receive(bytes);
  expect(body).toBeInstanceOf(Uint8Array);
  expect(body instanceof Uint8Array && body.buffer === bytes.buffer).toBe(true);
});

test("bytes that are no Buffer will do", () => {
  const peer = Peer.greeted();
  peer.protocol.receive(new Uint8Array(headers(1, GET)));
  expect(peer.seen).toHaveLength(1);
});
