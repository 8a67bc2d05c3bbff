import { expect, test } from "bun:test";
import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";

import { keyAuthorization, signJws, thumbprint, toJwk } from "../../../src/tls/acme/jws.ts";

/** RFC 7515, appendix A.3. */
const RFC7515 = {
  jwk: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  },
  payload: '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}',
  protected: "eyJhbGciOiJFUzI1NiJ9",
  encodedPayload:
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
  signature:
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
};

/** RFC 9449, sections 4.1 and 6.1: a key and its thumbprint. */
const RFC9449 = {
  jwk: {
    crv: "P-256",
    kty: "EC",
    x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
  },
  thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
} as const;

const key = createPrivateKey({ key: RFC7515.jwk, format: "jwk" });

function isSigned(text: string, signature: string): boolean {
  return verify(
    "sha256",
    Buffer.from(text),
    { key: createPublicKey(key), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
}

test("header and payload are those of RFC 7515, and its signature is one of them", () => {
  const jws = signJws(key, {}, RFC7515.payload);
  expect(jws).toMatchObject({
    protected: RFC7515.protected,
    payload: RFC7515.encodedPayload,
  });
  const signed = `${jws.protected}.${jws.payload}`;
  expect(isSigned(signed, RFC7515.signature)).toBe(true);
  expect(isSigned(signed, jws.signature)).toBe(true);
  expect(isSigned(`${signed}x`, jws.signature)).toBe(false);
});

test("the protected header has what it is given, and no payload is an empty text", () => {
  const jws = signJws(key, { nonce: "n", url: "https://ca.example/ü" }, "");
  expect(jws.payload).toBe("");
  expect(JSON.parse(Buffer.from(jws.protected, "base64url").toString())).toEqual({
    alg: "ES256",
    nonce: "n",
    url: "https://ca.example/ü",
  });
  expect(isSigned(`${jws.protected}.`, jws.signature)).toBe(true);
});

test("a key is shown without its private part", () => {
  const { crv, kty, x, y } = RFC7515.jwk;
  expect(JSON.stringify(toJwk(key))).toBe(JSON.stringify({ crv, kty, x, y }));
});

test("a coordinate that begins with zero has all of its 32 bytes", () => {
  for (let tries = 0; tries < 5_000; tries++) {
    const { x, y } = toJwk(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    expect([x.length, y.length]).toEqual([43, 43]);
    if (Buffer.from(x, "base64url")[0] === 0) return;
  }
  throw new Error("no such key in 5,000");
});

test.each([
  ["of another curve", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ["of another kind", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
  ["of Ed25519", generateKeyPairSync("ed25519").privateKey],
])("a key %s is refused", (_, other) => {
  expect(() => toJwk(other)).toThrow("it is not a P-256 key");
});

test("the thumbprint of RFC 9449 answers a challenge", () => {
  const { jwk } = RFC9449;
  expect(thumbprint({ y: jwk.y, x: jwk.x, kty: jwk.kty, crv: jwk.crv })).toBe(RFC9449.thumbprint);
  expect(keyAuthorization("token", jwk)).toBe(`token.${RFC9449.thumbprint}`);
});
