import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { type BridgeList, DEFAULT_BRIDGES, parseBridgeList } from "../../src/broker/bridge-list.ts";
import { type Fingerprint, parseFingerprint } from "../../src/messages/fingerprint.ts";
import vectors from "../vectors/config_files.json" with { type: "json" };

const TOR = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";
const OTHER = "8838024498816A039FCBBAB14E6F40A0843051FA";

function fingerprint(text: string): Fingerprint {
  const parsed = parseFingerprint(text);
  if (parsed === undefined) throw new Error(`not a fingerprint: ${text}`);
  return parsed;
}

function bridges(text: string): BridgeList {
  const parsed = parseBridgeList(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.bridges;
}

function fault(text: string): string | undefined {
  const parsed = parseBridgeList(text);
  return parsed.ok ? undefined : parsed.error;
}

function line(members: Record<string, unknown>): string {
  return `${JSON.stringify(members)}\n`;
}

describe("files as the Go broker reads them", () => {
  /** It drops what stands after the object without a word; here that is an error. */
  const stricter = new Set([
    "text after the object ignored",
    "two objects on a line: only first used",
  ]);

  /** Blank lines, which editors leave behind, are no error here. */
  const laxer = new Set(["trailing blank line", "only newline", "spaces line"]);

  test.each(vectors.bridge_list)("$name", ({ name, file, starts }) => {
    expect(parseBridgeList(file).ok).toBe((starts && !stricter.has(name)) || laxer.has(name));
  });

  test("the exceptions are in the vectors", () => {
    const named = (loads: boolean) =>
      vectors.bridge_list.filter(({ starts }) => starts === loads).map(({ name }) => name);
    expect(named(true)).toEqual(expect.arrayContaining([...stricter]));
    expect(named(false)).toEqual(expect.arrayContaining([...laxer]));
  });
});

test("without a file there is one bridge, the default", () => {
  expect(DEFAULT_BRIDGES.size).toBe(1);
  expect(DEFAULT_BRIDGES.relayUrl(undefined)).toBe("wss://snowflake.torproject.net/");
  expect(DEFAULT_BRIDGES.relayUrl(fingerprint(TOR))).toBe("wss://snowflake.torproject.net/");
  expect(DEFAULT_BRIDGES.relayUrl(fingerprint(OTHER))).toBeUndefined();
  expect(DEFAULT_BRIDGES.hosts()).toEqual(["snowflake.torproject.net"]);
});

describe("a bridge", () => {
  test("is found by its fingerprint in either letter case", () => {
    const list = bridges(line({ webSocketAddress: "wss://a/", fingerprint: OTHER.toLowerCase() }));
    expect(list.relayUrl(fingerprint(OTHER))).toBe("wss://a/");
    expect(list.relayUrl(undefined)).toBeUndefined();
  });

  test("is the default bridge only by its fingerprint", () => {
    const list = bridges(
      line({ webSocketAddress: "wss://a/", fingerprint: OTHER }) +
        line({ webSocketAddress: "wss://b/", fingerprint: TOR.toLowerCase() }),
    );
    expect(list.size).toBe(2);
    expect(list.relayUrl(undefined)).toBe("wss://b/");
  });

  test("named twice is the later one", () => {
    const list = bridges(
      line({ webSocketAddress: "wss://a/", fingerprint: OTHER }) +
        line({ webSocketAddress: "wss://b/", fingerprint: OTHER.toLowerCase() }),
    );
    expect(list.size).toBe(1);
    expect(list.relayUrl(fingerprint(OTHER))).toBe("wss://b/");
    expect(list.hosts()).toEqual(["b"]);
  });

  test("without an address has the empty one", () => {
    const list = bridges(line({ fingerprint: OTHER }));
    expect(list.relayUrl(fingerprint(OTHER))).toBe("");
    expect(list.hosts()).toEqual([]);
  });

  test("member names in any case, the last of two counts, null changes nothing", () => {
    const list = bridges(
      `{"WEBSOCKETADDRESS":"wss://a/","web\u017focketAddress":"wss://b/","webSocketAddress":null,"fingerprint":"${OTHER}"}`,
    );
    expect(list.relayUrl(fingerprint(OTHER))).toBe("wss://b/");
  });

  test("a line of any length is read in full", () => {
    const url = `wss://a/${"x".repeat(200_000)}`;
    const list = bridges(
      line({ displayName: "d".repeat(70_000), webSocketAddress: url, fingerprint: OTHER }) +
        line({ fingerprint: TOR }),
    );
    expect(list.size).toBe(2);
    expect(list.relayUrl(fingerprint(OTHER))).toBe(url);
  });
});

describe("hosts", () => {
  test.each([
    ["wss://snowflake.torproject.net/", ["snowflake.torproject.net"]],
    ["wss://EXAMPLE.net:8443/path?x=1", ["example.net"]],
    ["wss://[2001:db8::1]:443/", ["2001:db8::1"]],
    ["ws://192.0.2.1/", ["192.0.2.1"]],
    ["example.net", []],
    ["wss://", []],
    ["mailto:x", []],
  ])("of %p", (webSocketAddress, hosts) => {
    expect(bridges(line({ webSocketAddress, fingerprint: OTHER })).hosts()).toEqual(hosts);
  });

  test("are named once each", () => {
    const list = bridges(
      line({ webSocketAddress: "wss://a/1", fingerprint: OTHER }) +
        line({ webSocketAddress: "wss://a/2", fingerprint: TOR }),
    );
    expect(list.hosts()).toEqual(["a"]);
  });

  test("of no bridges are none", () => {
    expect(bridges("").hosts()).toEqual([]);
    expect(bridges("").size).toBe(0);
  });
});

test.each([
  ["a byte order mark", (text: string) => `\ufeff${text}`],
  ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
  ["blank lines", (text: string) => `\n${text}\r\n \t\n`],
  ["no last newline", (text: string) => text.trimEnd()],
])("%s is as an editor may leave it", (_, edit) => {
  const text = line({ fingerprint: OTHER }) + line({ fingerprint: TOR });
  expect(bridges(edit(text)).size).toBe(2);
});

describe("an error names the line and what is wrong", () => {
  const good = line({ fingerprint: OTHER });
  test.each([
    [`\n\r\n${good}{}\n`, 'line 4: member "fingerprint" must be 40 or 64 hexadecimal digits'],
    [`${good}${good}{}\n`, 'line 3: member "fingerprint" must be 40 or 64 hexadecimal digits'],
    [`${good.trimEnd()} trailing\n`, "line 1: invalid JSON: unexpected character at offset 59"],
    ['{"x":1}\n', 'line 1: unknown member "x"'],
    ['{"x":1\n', "line 1: invalid JSON: the text ends too early"],
    ['{"\\n":1}\n', 'line 1: unknown member "\\n"'],
    ['{"fingerprint":1}\n', 'line 1: invalid JSON: member "fingerprint" must be a string'],
    ['{"displayName":1}\n', 'line 1: invalid JSON: member "displayName" must be a string'],
    ["[]\n", "line 1: invalid JSON: expected an object, found array"],
    [`${good}\ufeff${good}`, "line 2: invalid JSON: unexpected character at offset 0"],
  ])("%p", (text, error) => {
    expect(fault(text)).toBe(error);
  });
});

const hexadecimal = fc.tuple(
  fc.constantFrom(40, 64).chain((length) =>
    fc.string({
      unit: fc.constantFrom(..."0123456789abcdefABCDEF"),
      minLength: length,
      maxLength: length,
    }),
  ),
);

test("every list that is written is read back, whatever the line ends", () => {
  const bridge = fc.record({
    displayName: fc.string({ unit: "binary" }),
    webSocketAddress: fc.string({ unit: "grapheme" }),
    fingerprint: hexadecimal.map(([text]) => text),
  });
  fc.assert(
    fc.property(
      fc.array(bridge),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      (all, end, final) => {
        const text = all.map((members) => JSON.stringify(members)).join(end);
        const list = bridges(final && all.length > 0 ? text + end : text);
        const expected = new Map(all.map((b) => [b.fingerprint.toUpperCase(), b.webSocketAddress]));
        expect(list.size).toBe(expected.size);
        for (const [name, url] of expected) expect(list.relayUrl(fingerprint(name))).toBe(url);
      },
    ),
  );
});

test("whatever is written, nothing is thrown, and one wrong line spoils the list", () => {
  const good = line({ fingerprint: OTHER });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      fc.pre(!text.includes("\n") && text.trim() !== "");
      expect(fault(`${good}${text}\n${good}`)).toStartWith("line 2: ");
    }),
  );
});
