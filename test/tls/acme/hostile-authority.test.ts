/** Whatever an authority sends, an order ends soon, with an error that says what was wrong. */

import { afterEach, beforeEach, expect, test } from "bun:test";

import fc from "fast-check";

import { AuthorityError } from "../../../src/tls/acme/request.ts";
import {
  decodeAuthorization,
  decodeDirectory,
  decodeOrder,
} from "../../../src/tls/acme/resources.ts";
import { ANY_CERTIFICATE } from "../any-certificate.ts";
import { makeTlsFiles } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";
import {
  endless,
  type FakeAuthority,
  having,
  problem,
  type Respond,
  text,
  withHeader,
} from "./fake-authority.ts";
import { ScriptedOrder } from "./scripted-order.ts";

const URL_OF_FILE = "file:///etc/hostname";
const challenge = (members: object) =>
  having({ challenges: [{ type: "http-01", url: "https://ca.example", token: "t", ...members }] });

type Case = readonly [what: string, respond: Respond, message: string];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  "/directory": [
    ["is a page", text("<html>", "text/html"), "/directory is no ACME directory"],
    ["is a list", text("[]"), "/directory is no ACME directory"],
    ["has no URL", having({ newNonce: 5 }), "/directory is no ACME directory"],
    ["has the URL of a file", having({ newAccount: URL_OF_FILE }), "is no ACME directory"],
    ["has no end", endless, ": it is longer than 1000000 bytes"],
  ],
  "/nonce": [
    ["has none", withHeader("Replay-Nonce", undefined), "the certificate authority sends no nonce"],
    ["fails", () => new Response("", { status: 503 }), "answered with status 503"],
  ],
  "/account": [
    ["is nowhere", withHeader("Location", undefined), "'s account has no usable URL (Location)"],
    ["is a file", withHeader("Location", URL_OF_FILE), "'s account has no usable URL (Location)"],
    ["is refused", problem("externalAccountRequired", "bind\nit"), "bind it"],
    ["is elsewhere", () => Response.redirect("/else", 308), "answered with status 308"],
  ],
  "/new-order": [
    ["is nowhere", withHeader("Location", undefined), "'s order has no usable URL (Location)"],
    ["is cut short", text('{"status":'), "'s order is no JSON object"],
    ["is deep", text("[".repeat(900_000)), "'s order is no JSON object"],
    ["has an unknown status", having({ status: "lost" }), "'s order has no known status"],
    ["has no list", having({ authorizations: {} }), "'s order has no authorizations"],
    [
      "has odd entries",
      having({ authorizations: [7] }),
      "'s order has no usable URL (authorizations)",
    ],
    [
      "has no TLS",
      having({ finalize: "http://ca.example" }),
      "'s order has no usable URL (finalize)",
    ],
    ["has no end", endless, ": it is longer than 1000000 bytes"],
    ["has a failed name", problem("rejectedIdentifier", "not yours"), "not yours"],
  ],
  "/authorization/b": [
    ["is for nobody", having({ identifier: {} }), "'s authorization names no host"],
    ["is for a text", having({ identifier: { value: "a\nb" } }), "authorization names no host"],
    ["has no status", having({ status: null }), "'s authorization has no known status"],
    ["has expired", having({ status: "expired" }), "the order is invalid"],
    ["is over DNS", having({ challenges: [null, {}] }), "b.example can't be proved over HTTP-01"],
    ["has an odd token", challenge({ token: "../t" }), "'s challenge has no token"],
    ["has a challenge nowhere", challenge({ url: "/t" }), "'s challenge has no usable URL (url)"],
  ],
  "/challenge/b": [["is refused", problem("malformed", "of no use"), "of no use"]],
  "/order": [
    ["stays pending", having({ status: "pending" }), "authority leaves the order waiting"],
    ["is invalid", having({ status: "invalid", error: { detail: "why" } }), "why"],
    ["is invalid, silently", having({ status: "invalid" }), "the order is invalid"],
  ],
  "/finalize": [
    ["is refused", problem("badCSR", "odd"), "odd"],
    ["has no URL", having({ certificate: 1 }), "'s order has no usable URL (certificate)"],
  ],
  "/chain": [
    ["is a page", text("<html>", "text/html"), "'s certificate chain is no PEM text"],
    ["has no end", endless, ": it is longer than 1000000 bytes"],
  ],
};

describeWithPrograms("an order fails", ["openssl"], () => {
  const tls = makeTlsFiles(["localhost"]);
  let order: ScriptedOrder;
  let fake: FakeAuthority;

  beforeEach(() => {
    order = new ScriptedOrder(tls);
    fake = order.fake;
  });
  afterEach(() => order[Symbol.dispose]());

  for (const [path, cases] of Object.entries(CASES)) {
    test.each(cases)(`where ${path} %s`, async (_, respond, message) => {
      fake.on(path, respond);
      expect((await order.failure()).message).toEndWith(message);
    });
  }

  test("where it is processed without end", async () => {
    fake.on("/finalize", having({ status: "processing" }));
    fake.on("/order", (usual, request) =>
      fake.count("/finalize") > 0 ? having({ status: "processing" })(usual, request) : usual(),
    );
    expect((await order.failure()).message).toEndWith("leaves the order waiting");
    expect(fake.count("/order")).toBeWithin(80, 93);
  });

  test("where a response never comes, when its time is over", async () => {
    fake.on("/order", () => new Promise(() => {}));
    expect((await order.failure({ orderTimeout: 200 })).message).toBe(
      "the certificate authority did not finish the order in 0.2 s",
    );
  });

  test("where authorizations have no end, when its time is over", async () => {
    const authorizations = Array.from(
      { length: 10_000 },
      () => new URL("/authorization/a", fake.directory),
    );
    fake.on("/new-order", having({ authorizations }));
    expect((await order.failure({ orderTimeout: 200 })).message).toBe(
      "the certificate authority did not finish the order in 0.2 s",
    );
  });

  test("with what was wrong with each name", async () => {
    fake.on("/order", having({ status: "invalid" }));
    for (const name of ["a", "b"]) {
      const error = { type: "urn:ietf:params:acme:error:dns", detail: `nothing\nis at ${name}` };
      fake.on(`/authorization/${name}`, (usual, request) =>
        (fake.count("/order") > 0 ? challenge({ error }) : having({}))(usual, request),
      );
    }
    expect(await order.failure()).toMatchObject({
      message: "a.example: nothing is at a; b.example: nothing is at b",
      type: "dns",
    });
  });

  test("with five reasons at most, each of them short", async () => {
    fake.on("/order", having({ status: "invalid" }));
    const error = { detail: "x".repeat(10_000) };
    const failed = { type: "http-01", url: "https://ca.example", token: "t", error };
    fake.on("/authorization/a", (usual, request) =>
      (fake.count("/order") > 0
        ? having({ challenges: Array.from({ length: 50 }, () => failed) })
        : having({}))(usual, request),
    );
    expect((await order.failure()).message.split("; ")).toHaveLength(5);
  });

  test("not where other things stand between the certificates: they are left out", async () => {
    const { cert, key } = ANY_CERTIFICATE;
    fake.on("/chain", text(`chain\n${cert}${key}\r\n${cert}`));
    expect((await order.issue()).cert).toBe(cert + cert);
  });
});

const https = fc.constantFrom<unknown>("https://ca.example/x", "http://ca.example", "x", 1);
const members = fc.record(
  {
    newNonce: https,
    newAccount: https,
    newOrder: https,
    meta: fc.anything(),
    status: fc.constantFrom("pending", "valid", "lost"),
    authorizations: fc.oneof(fc.array(https), fc.anything()),
    finalize: https,
    certificate: https,
    identifier: fc.oneof(fc.record({ value: fc.string() }), fc.anything()),
    challenges: fc.oneof(
      fc.array(fc.record({ type: fc.constant("http-01"), url: https, token: fc.string() })),
      fc.anything(),
    ),
    error: fc.anything(),
  },
  { requiredKeys: [] },
);

test.each<[string, (body: string) => unknown]>([
  ["directory", (body) => decodeDirectory(body, "https://ca.example")],
  ["order", decodeOrder],
  ["authorization", decodeAuthorization],
])("a %s that is anything is decoded, or refused in one line", (_, decode) => {
  const bodies = fc.oneof(
    fc.string(),
    fc.json(),
    members.map((value) => JSON.stringify(value) ?? ""),
  );
  fc.assert(
    fc.property(bodies, (body) => {
      try {
        expect(decode(body)).toBeObject();
      } catch (error) {
        expect(error).toBeInstanceOf(AuthorityError);
        expect(String(error)).toMatch(/^AuthorityError: [^\n]{1,100}$/);
      }
    }),
  );
});
