import { describe, expect, test } from "bun:test";

import { decodeFieldBlock } from "../../../../src/http/http2/hpack/field-block.ts";
import { FIELD_TABLE_BYTES, FieldTable } from "../../../../src/http/http2/hpack/field-table.ts";
import { type Field, FieldNames } from "../../../../src/http/http2/hpack/field.ts";
import { decodeHuffman, mostDecoded } from "../../../../src/http/http2/hpack/huffman.ts";
import { STATIC_TABLE } from "../../../../src/http/http2/hpack/static-table.ts";
import { integer } from "../frames.ts";
import { ALL_BYTES_IN_HUFFMAN } from "./huffman-vector.ts";

const WANTED = ["cache-control", "custom-key", "date", "location", "set-cookie", "x"];

class Decoder {
  readonly table = new FieldTable(new FieldNames(new Set(WANTED)));

  /** The fields of a block; what is wrong with it. Fields that nobody looks at are shown by their sizes. */
  decode(block: Buffer | string): string[] | string {
    const bytes = typeof block === "string" ? Buffer.from(block.replaceAll(" ", ""), "hex") : block;
    const fields: string[] = [];
    const sink = { field: (field: Field) => fields.push(show(field)) > 0 };
    return decodeFieldBlock(this.table, bytes, 0, bytes.length, sink) ?? fields;
  }

  /** The fields of the table, the newest first. */
  get entries(): string[] {
    const entries: string[] = [];
    for (let index = STATIC_TABLE.length + 1; ; index++) {
      const field = this.table.at(index);
      if (field === undefined) return entries;
      entries.push(show(field));
    }
  }
}

function show({ name, value, valid, size }: Field): string {
  if (!valid) return `not valid, ${size}`;
  return name.text === "" ? `ignored, ${size}` : `${name.text}: ${value}`;
}

// RFC 7541 appendices C.3 and C.4: the same requests, plain and with Huffman.
const REQUESTS: readonly (readonly string[])[] = [
  ["method: GET", "scheme: http", "path: /", "host: www.example.com"],
  ["method: GET", "scheme: http", "path: /", "host: www.example.com", "cache-control: no-cache"],
  [
    ...["method: GET", "scheme: https", "path: /index.html", "host: www.example.com"],
    "custom-key: custom-value",
  ],
].map((fields) => fields.map((field) => field.replace(/^(method|scheme|path)/, ":$1")));

describe("the examples of RFC 7541 appendix C", () => {
  test("C.2: one field each", () => {
    const literal = new Decoder();
    const hex = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    expect(literal.decode(hex)).toEqual(["custom-key: custom-header"]);
    expect(literal.entries).toEqual(["custom-key: custom-header"]);
    const unindexed = new Decoder();
    expect(unindexed.decode("040c 2f73 616d 706c 652f 7061 7468")).toEqual([":path: /sample/path"]);
    expect(unindexed.entries).toEqual([]);
    expect(unindexed.decode("1008 7061 7373 776f 7264 0673 6563 7265 74")).toEqual(["ignored, 46"]);
    expect(unindexed.entries).toEqual([]);
    expect(unindexed.decode("82")).toEqual([":method: GET"]);
  });

  test.each<[name: string, blocks: readonly string[]]>([
    [
      "C.3, plain",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ],
    ],
    [
      "C.4, Huffman",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
    ],
  ])("%s: three requests with one table", (_, blocks) => {
    const decoder = new Decoder();
    for (const [at, block] of blocks.entries()) {
      expect(decoder.decode(block)).toEqual([...(REQUESTS[at] ?? [])]);
    }
    expect(decoder.entries).toEqual([
      "custom-key: custom-value",
      "cache-control: no-cache",
      "host: www.example.com",
    ]);
  });

  test("C.6: a table of 256 bytes drops the oldest entries", () => {
    const decoder = new Decoder();
    expect(decoder.decode("3fe1 01")).toEqual([]);
    const first = `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
      2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`.replaceAll("\n", "");
    const date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
    const rest = ["cache-control: private", date, "location: https://www.example.com"];
    expect(decoder.decode(first)).toEqual(["not valid, 42", ...rest]);
    expect(decoder.entries).toHaveLength(4);
    expect(decoder.decode("4883 640e ffc1 c0bf")).toEqual(["not valid, 42", ...rest]);
    expect(decoder.entries).toHaveLength(4);
    const third = `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
      77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0
      03ed 4ee5 b106 3d50 07`.replaceAll("\n", "");
    expect(decoder.decode(third)).toEqual([
      "not valid, 42",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:22 GMT",
      "location: https://www.example.com",
      "ignored, 52",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ]);
    expect(decoder.entries).toHaveLength(3);
  });
});

describe("integers", () => {
  const named = (index: number) => Buffer.from([...withBits(0x80, integer(index, 7))]);

  test("an index may have any form that ends", () => {
    expect(new Decoder().decode(named(61))).toEqual(["ignored, 48"]);
    // 127 and nothing more: the index 127 in two bytes, which is not there.
    expect(new Decoder().decode("ff00")).toBe("compression");
  });

  test.each([
    ["index 0", "80"],
    ["an index after the last", "be"],
    ["a number that is not complete", "ff"],
    ["a number that goes on and on", "ffffffffffff"],
    ["a number of 2^28", `ff81 ffff ff7f`],
    ["a name that has no entry", "7e 0161"],
    ["a name that is longer than the block", "00 05 6162"],
    ["a value that is longer than the block", "00 0161 05 62"],
    ["a name and no value", "00 0161"],
    ["a length without a string", "00 0161 7f"],
    ["a table larger than allowed", "3fe2 1f"],
    ["a table size after a field", "82 20"],
    ["three table sizes", "20 20 20"],
    ["a size that is not complete", "3f"],
  ])("%s is a fault", (_, hex) => {
    expect(new Decoder().decode(hex)).toBe("compression");
  });

  test("a table may be emptied and allowed again, in one block", () => {
    const decoder = new Decoder();
    decoder.decode("4001 7801 79");
    expect(decoder.entries).toEqual(["x: y"]);
    expect(decoder.decode("20 3fe1 1f be")).toBe("compression");
    expect(decoder.decode("4001 7801 7a")).toEqual(["x: z"]);
    expect(decoder.entries).toEqual(["x: z"]);
  });
});

describe("the table", () => {
  test("an entry larger than the table empties it", () => {
    const decoder = new Decoder();
    decoder.decode("4001 7801 79");
    const value = Buffer.alloc(FIELD_TABLE_BYTES - 32, "v");
    const length = Buffer.from(integer(value.length, 7));
    decoder.decode(Buffer.concat([Buffer.from("400178", "hex"), length, value]));
    expect(decoder.entries).toEqual([]);
  });

  test("what is looked up by an old entry's name can drop that entry", () => {
    const decoder = new Decoder();
    decoder.decode("4001 7801 79");
    const value = Buffer.alloc(FIELD_TABLE_BYTES - 33, "v");
    const length = Buffer.from(integer(value.length, 7));
    decoder.decode(Buffer.concat([Buffer.from("7e", "hex"), length, value]));
    expect(decoder.entries).toEqual([`x: ${value.toString()}`]);
  });

  test("knows how long names are that nobody looks at", () => {
    const decoder = new Decoder();
    // `aa: b` and `a: bb`, then the same names with the value `z`.
    expect(decoder.decode("4002 6161 0162 4001 6102 6262")).toEqual(["ignored, 35", "ignored, 35"]);
    expect(decoder.decode("0f30 017a 0f2f 017a")).toEqual(["ignored, 35", "ignored, 34"]);
  });

  test("holds 4,096 bytes, as HPACK counts", () => {
    const decoder = new Decoder();
    // 34 bytes each.
    for (let n = 0; n < 200; n++) decoder.decode("4001 7801 79");
    expect(decoder.entries).toHaveLength(Math.floor(FIELD_TABLE_BYTES / 34));
  });
});

describe("Huffman", () => {
  const decode = (bytes: Buffer) => {
    const into = Buffer.alloc(mostDecoded(bytes.length));
    const length = decodeHuffman(bytes, 0, bytes.length, into);
    return length < 0 ? "fault" : into.toString("latin1", 0, length);
  };

  test("every byte has its code", () => {
    const all = Buffer.from([...Array(256).keys()]).toString("latin1");
    expect(decode(Buffer.from(ALL_BYTES_IN_HUFFMAN, "hex"))).toBe(all);
  });

  test.each([
    ["nothing", "", ""],
    // `0` has the code 00000, and `a` 00011.
    ["three ones of padding", "07", "0"],
    ["no padding", "0000000000", "00000000"],
    ["the shortest codes only", "18c6318c63", "aaaaaaaa"],
    ["zeros of padding", "00", "fault"],
    ["a part of a code", "06", "fault"],
    ["a byte of padding", "07ff", "fault"],
    ["nothing but padding", "ff", "fault"],
    ["the sign for the end", "ffffffff", "fault"],
    ["the sign for the end in the middle", "fffffffc07", "fault"],
  ])("%s", (_, hex, text) => {
    expect(decode(Buffer.from(hex, "hex"))).toBe(text);
  });
});

function withBits(bits: number, [first = 0, ...rest]: number[]): number[] {
  return [first | bits, ...rest];
}
