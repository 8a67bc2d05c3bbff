import { describe, expect, test } from "bun:test";

import * as fc from "fast-check";

import { clientAddress, proxyAddress } from "../../../src/frontend/http/peer-address.ts";
import { parseAddress } from "../../../src/messages/address-text.ts";
import { openPort } from "../../kit/http-frontend.ts";
import vectors from "../../vectors/client_ip.json";

/**
 * Where we differ from the reference on purpose: it takes 192.18.0.0/15 for the benchmarking range, which is
 * 198.18.0.0/15. The client's address by name of the case.
 */
const DELIBERATE = new Map([
  ["range 192.18.0.1", "192.18.0.1"],
  ["range 192.19.1.1", "192.19.1.1"],
  ["range 198.18.0.1", "198.41.0.4"],
  ["range 198.19.1.1", "198.41.0.4"],
]);

const SOCKET = "198.41.0.4";
const fromSocket = { remoteAddress: SOCKET };

type Fields = ReadonlyMap<string, string>;

function headersOf(lines: Readonly<Record<string, readonly string[] | undefined>>): Fields {
  return new Map(
    Object.entries(lines).flatMap(([name, values]) =>
      values === undefined ? [] : [[name.toLowerCase(), values.join(", ")] as const],
    ),
  );
}

function fieldsOf(fields: Readonly<Record<string, string>>): Fields {
  return new Map(Object.entries(fields));
}

describe("reference cases", () => {
  for (const { name, headers, remote_addr, client_ip, proxy_ip_by_trusted_hops } of vectors.cases) {
    test(`client: ${name}`, () => {
      const address = clientAddress(headersOf(headers), { remoteAddress: remote_addr });
      expect(address?.reveal() ?? "").toBe(DELIBERATE.get(name) ?? client_ip);
    });

    test(`proxy: ${name}`, () => {
      const byHops = Object.keys(proxy_ip_by_trusted_hops).map((hops) => {
        const address = proxyAddress(
          headersOf(headers),
          { remoteAddress: remote_addr },
          Number(hops),
        );
        return [hops, address?.reveal() ?? ""];
      });
      expect(Object.fromEntries(byHops)).toEqual(proxy_ip_by_trusted_hops);
    });
  }

  test("the deliberate differences are differences", () => {
    const different = vectors.cases.filter(
      ({ name, client_ip }) => DELIBERATE.has(name) && DELIBERATE.get(name) !== client_ip,
    );
    expect(different.map(({ name }) => name).toSorted()).toEqual([...DELIBERATE.keys()].toSorted());
  });
});

describe("the socket", () => {
  test("is not asked when a header decides", () => {
    let asked = 0;
    const ask = {
      get remoteAddress() {
        asked++;
        return SOCKET;
      },
    };
    const headers = fieldsOf({ forwarded: "for=8.8.8.8", "x-forwarded-for": "9.9.9.9" });
    expect(clientAddress(headers, ask)?.reveal()).toBe("8.8.8.8");
    expect(proxyAddress(headers, ask, 1)?.reveal()).toBe("8.8.8.8");
    expect(asked).toBe(0);
    expect(proxyAddress(headers, ask, 0)?.reveal()).toBe(SOCKET);
    expect(clientAddress(new Map(), ask)?.reveal()).toBe(SOCKET);
    expect(asked).toBe(2);
  });

  test("may have no address", () => {
    expect(clientAddress(new Map(), { remoteAddress: undefined })).toBeUndefined();
    expect(proxyAddress(new Map(), { remoteAddress: undefined }, 1)).toBeUndefined();
  });

  test("may be dual-stack", () => {
    expect(clientAddress(new Map(), { remoteAddress: "::ffff:8.8.8.8" })?.reveal()).toBe("8.8.8.8");
  });
});

describe("lists", () => {
  const element = fc.constantFrom("8.8.8.8", "9.9.9.9:1", "[2a00::1]:2", "10.0.0.1", "", "unknown");
  const separator = fc.constantFrom(",", ", ", " ,\t");
  const hops = fc.nat(12);

  test("the place counts from the right, over valid and invalid elements", () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1 }), separator, hops, (elements, join, place) => {
        const headers = fieldsOf({ "x-forwarded-for": elements.join(join) });
        const wanted = place === 0 ? undefined : elements.at(-place);
        const expected = wanted === undefined ? undefined : parseAddress(wanted)?.reveal();
        expect(proxyAddress(headers, fromSocket, place)?.reveal()).toBe(expected ?? SOCKET);
      }),
    );
  });

  test("Forwarded and X-Forwarded-For with the same addresses say the same", () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1 }), hops, (elements, place) => {
        const plain = fieldsOf({ "x-forwarded-for": elements.join(", ") });
        const forwarded = fieldsOf({
          forwarded: elements.map((text) => `by=_us; For="${text}" ;proto=https`).join(","),
        });
        expect(clientAddress(forwarded, fromSocket)?.reveal()).toBe(
          clientAddress(plain, fromSocket)?.reveal(),
        );
        expect(proxyAddress(forwarded, fromSocket, place)?.reveal()).toBe(
          proxyAddress(plain, fromSocket, place)?.reveal(),
        );
      }),
    );
  });

  test.each([
    ['for="8.8.8.8', SOCKET],
    ['for="', SOCKET],
    ['for=""8.8.8.8""', SOCKET],
    ['for=" 8.8.8.8"', SOCKET],
    ["for", SOCKET],
    ["=8.8.8.8", SOCKET],
    ["fore=8.8.8.8", SOCKET],
    [";;for=8.8.8.8;;", "8.8.8.8"],
    ["for==;FOR=8.8.8.8", "8.8.8.8"],
    ["for=unknown;for=8.8.8.8", SOCKET],
  ])("Forwarded: %s", (value, expected) => {
    const headers = fieldsOf({ forwarded: value });
    expect(proxyAddress(headers, fromSocket, 1)?.reveal()).toBe(expected);
  });

  test("a client's address is looked for in the first 64 elements and in the first 16 parts", () => {
    const clientOf = (name: string, value: string) =>
      clientAddress(fieldsOf({ [name]: value }), fromSocket)?.reveal();
    expect(clientOf("x-forwarded-for", `${"-,".repeat(63)}8.8.8.8`)).toBe("8.8.8.8");
    expect(clientOf("x-forwarded-for", `${"-,".repeat(64)}8.8.8.8`)).toBe(SOCKET);
    expect(clientOf("forwarded", `${"-;".repeat(15)}for=8.8.8.8`)).toBe("8.8.8.8");
    expect(clientOf("forwarded", `${"-;".repeat(16)}for=8.8.8.8`)).toBe(SOCKET);
  });

  test("no length of a list keeps a reverse proxy's own element from counting", () => {
    const headers = fieldsOf({
      forwarded: `${"for=6.6.6.6,".repeat(1_000)}for=8.8.8.8;host="${";".repeat(100)}"`,
      "x-forwarded-for": "9.9.9.9",
    });
    expect(proxyAddress(headers, fromSocket, 1)?.reveal()).toBe("8.8.8.8");
  });

  test("any header and any number of hops gives an address", () => {
    const value = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from('for=";,. 189:[]%\t')), maxLength: 80 }),
      fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)) }),
    );
    const anyHops = fc.oneof(fc.integer(), fc.constantFrom(0.5, NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(value, value, anyHops, (forwarded, plain, place) => {
        const headers = fieldsOf({ forwarded, "x-forwarded-for": plain });
        expect(clientAddress(headers, fromSocket)).toBeDefined();
        expect(proxyAddress(headers, fromSocket, place)).toBeDefined();
      }),
    );
  });
});

test("the server's view of header lines keeps every element, empty lines included", async () => {
  const received = Promise.withResolvers<string[]>();
  await using server = openPort(({ fields }, exchange) => {
    received.resolve(
      [0, 1, 2, 3, 4].map((place) => proxyAddress(fields, exchange, place)?.reveal() ?? ""),
    );
    exchange.reply({ head: { status: 200, fields: [] }, body: undefined });
  });
  const lines = ["9.9.9.9", "", "8.8.8.8,", "2a00::1"];
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: { data() {} },
  });
  client.write(
    `GET / HTTP/1.1\r\nHost: broker\r\n${lines.map((line) => `X-Forwarded-For: ${line}\r\n`).join("")}\r\n`,
  );
  const socket = "127.0.0.1";
  expect(await received.promise).toEqual([socket, "2a00::1", socket, "8.8.8.8", socket]);
  client.end();
});
