import { afterEach, beforeEach, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";

import { ANY_CERTIFICATE } from "../any-certificate.ts";
import { makeTlsFiles } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";
import { type FakeAuthority, having, problem, withHeader } from "./fake-authority.ts";
import { ScriptedOrder } from "./scripted-order.ts";

describeWithPrograms("an order", ["openssl"], () => {
  const tls = makeTlsFiles(["localhost"]);
  let order: ScriptedOrder;
  let fake: FakeAuthority;

  beforeEach(() => {
    order = new ScriptedOrder(tls);
    fake = order.fake;
  });
  afterEach(() => order[Symbol.dispose]());

  test("gives the chain, and the key of the certificate request", async () => {
    let served: [string, string][] = [];
    fake.on("/challenge/b", (usual) => {
      served = [...order.challenges];
      return usual();
    });
    const { cert, key } = await order.issue();
    expect(cert).toBe(ANY_CERTIFICATE.cert);
    expect(createPrivateKey(key).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(served.map(([token]) => token)).toEqual(["t-a", "t-b"]);
    for (const [token, content] of served) {
      expect(content).toMatch(new RegExp(`^${token}\\.[\\w-]{43}$`));
    }
    expect(order.challenges.size).toBe(0);
    expect(order.log.lines).toEqual([
      "ACME account made, and the certificate authority's terms of service agreed to terms=https://ca.example/terms",
    ]);
  });

  test("makes these requests, each with the nonce of the last response", async () => {
    await order.issue();
    expect(fake.requests.map(({ path, payload = "" }) => `${path} ${payload}`)).toEqual([
      "/directory ",
      "/nonce ",
      '/account {"termsOfServiceAgreed":true,"contact":["mailto:operator@a.example"]}',
      '/new-order {"identifiers":[{"type":"dns","value":"a.example"},{"type":"dns","value":"b.example"}]}',
      "/authorization/a ",
      "/challenge/a {}",
      "/authorization/b ",
      "/challenge/b {}",
      "/order ",
      expect.stringMatching(/^\/finalize \{"csr":"[\w-]+"\}$/),
      "/chain ",
    ]);
    const signed = fake.requests.slice(2);
    expect(signed.map(({ header }) => header?.["nonce"])).toEqual(
      signed.map((_, i) => `nonce-${i + 1}`),
    );
    for (const { path, header, contentType, accept } of signed) {
      const isFirst = path === "/account";
      expect(header).toMatchObject({ alg: "ES256", url: new URL(path, fake.directory).href });
      expect(header?.["kid"]).toBe(isFirst ? undefined : new URL("/me", fake.directory).href);
      expect(header?.["jwk"] !== undefined).toBe(isFirst);
      expect(contentType).toBe("application/jose+json");
      expect(accept).toBe(
        path === "/chain" ? "application/pem-certificate-chain" : "application/json",
      );
    }
  });

  test("uses the account that exists, with the stored key", async () => {
    fake.on("/account", (usual) => new Response(null, { headers: usual().headers }));
    await order.issue();
    await order.issue({ email: undefined });
    const [first, second] = fake.requests.filter(({ path }) => path === "/account");
    expect(second?.header?.["jwk"]).toBeDefined();
    expect(second?.header?.["jwk"]).toEqual(first?.header?.["jwk"]);
    expect(second?.payload).toBe('{"termsOfServiceAgreed":true,"contact":[]}');
    expect(order.log.lines).toEqual([]);
  });

  test.each(["spoilt", ecKey("P-384")])(
    "makes a new account where no P-256 key is stored",
    async (stored) => {
      order.storedKey = stored;
      await order.issue();
      expect(order.log.of("WARN")).toEqual([
        expect.stringContaining("the ACME account's key can't be used: a new account is made"),
      ]);
      expect(createPrivateKey(order.storedKey).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
      expect(order.storedKey).toStartWith("-----BEGIN EC PRIVATE KEY-----");
    },
  );

  test("goes on where the account's key can't be kept", async () => {
    const accountKeys = {
      readAccountKey: () => undefined,
      writeAccountKey: () => {
        throw new Error("EACCES");
      },
    };
    await order.issue({ accountKeys });
    expect(order.log.of("WARN")).toEqual([
      expect.stringContaining("the ACME account's key can't be kept"),
    ]);
  });

  test("proves nothing that is proved", async () => {
    fake.on("/authorization/a", having({ status: "valid" }));
    fake.on("/authorization/b", having({ status: "valid" }));
    fake.on("/order", having({ status: "ready" }));
    await order.issue();
    expect(fake.count("/challenge/a") + fake.count("/challenge/b")).toBe(0);
  });

  test("waits until it is ready, and until it is valid", async () => {
    fake.on("/finalize", having({ status: "processing" }));
    fake.on("/order", (usual, request) => {
      const looks = fake.count("/order");
      const status = looks <= 3 ? "pending" : "processing";
      return looks === 4 || looks === 7 ? usual() : having({ status })(usual, request);
    });
    await order.issue();
    expect(fake.count("/order")).toBe(7);
  });

  test("waits for as long as the authority asks, within its limit", async () => {
    fake.on("/order", withHeader("Retry-After", "3600"));
    fake.on("/challenge/b", () => new Response("{}"));
    expect(await order.failure()).toMatchObject({
      message: "the certificate authority leaves the order waiting",
      type: "",
      retryAfter: 3600,
    });
    expect(fake.count("/order")).toBe(2);
  });

  test("survives five refused nonces, with the nonces that come with the refusals", async () => {
    fake.on("/new-order", (usual, request) => {
      const asked = fake.count("/new-order");
      const headers = { "Replay-Nonce": `fresh-${asked}` };
      return asked <= 5 ? problem("badNonce", "used", headers)(usual, request) : usual();
    });
    await order.issue();
    const nonces = fake.requests
      .filter(({ path }) => path === "/new-order")
      .map(({ header }) => header?.["nonce"]);
    expect(nonces.slice(1)).toEqual(["fresh-1", "fresh-2", "fresh-3", "fresh-4", "fresh-5"]);
  });

  test("gives up when six nonces are refused", async () => {
    fake.on("/new-order", problem("badNonce", "used"));
    expect(await order.failure()).toMatchObject({ message: "used", type: "badNonce" });
    expect(fake.count("/new-order")).toBe(6);
    // Each refusal came without a nonce.
    expect(fake.count("/nonce")).toBe(6);
  });

  test.each([undefined, "not base64url!"])(
    "asks for a nonce where the last response has %p",
    async (nonce) => {
      fake.on("/account", withHeader("Replay-Nonce", nonce));
      await order.issue();
      expect(fake.count("/nonce")).toBe(2);
    },
  );

  test("ends with the broker", async () => {
    const end = new AbortController();
    fake.on("/order", (usual) => {
      end.abort(new Error("the broker stops"));
      return usual();
    });
    const issued = order.issue({ lookAgain: 60_000 }, end.signal);
    expect(await issued.catch(() => "ended")).toBe("ended");
    expect(order.challenges.size).toBe(0);
  });
});

function ecKey(namedCurve: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve });
  return privateKey.export({ type: "sec1", format: "pem" });
}
