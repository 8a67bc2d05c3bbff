import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseCertificate, type TlsFiles } from "../../src/tls/certificate.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { makeTlsFiles } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";

const DAY = 86_400_000;

/** Why the pair is refused. */
function refusal(cert: string, key: string): string {
  const parsed = parseCertificate({ cert, key });
  if (parsed.ok) throw new Error("it is not refused");
  return parsed.error;
}

describeWithPrograms("a certificate and its key", ["openssl"], () => {
  const good = makeTlsFiles(["a.example", "*.b.example"], { days: 3 });
  const other = makeTlsFiles(["c.example"]);

  test("what an operator wants to know of them", () => {
    const parsed = parseCertificate(good);
    if (!parsed.ok) throw new Error(parsed.error);
    const { certificate } = parsed;
    expect(certificate.tls).toEqual(good);
    expect(certificate.notAfter - certificate.notBefore).toBe(3 * DAY);
    expect(Math.abs(certificate.notBefore - Date.now())).toBeLessThan(60_000);
    const serial = Bun.spawnSync(["openssl", "x509", "-noout", "-serial"], {
      stdin: Buffer.from(good.cert),
    });
    expect(`serial=${certificate.serialNumber}\n`).toBe(serial.stdout.toString());
  });

  test("which host names it is for: the common name is none", () => {
    const parsed = parseCertificate(
      makeTlsFiles(["a.example", "*.b.example"], { flags: ["-subj", "/CN=cn.example"] }),
    );
    if (!parsed.ok) throw new Error(parsed.error);
    const names = ["a.example", "x.b.example", "b.example", "cn.example", "x.a.example"];
    expect(names.filter(parsed.certificate.covers)).toEqual(["a.example", "x.b.example"]);
  });

  test("RSA keys and old forms of keys are as good", () => {
    const rsa = makeTlsFiles(["a.example"], { key: ["-newkey", "rsa:2048"] });
    expect(parseCertificate(rsa).ok).toBe(true);
    const sec1 = Bun.spawnSync(["openssl", "ec"], { stdin: Buffer.from(good.key) });
    const key = sec1.stdout.toString();
    expect(key).toStartWith("-----BEGIN EC PRIVATE KEY-----");
    expect(parseCertificate({ cert: good.cert, key }).ok).toBe(true);
  });

  test("a chain of several certificates, with text around them", () => {
    const cert = `some text\n${good.cert}\nmore\n${other.cert}`;
    expect(parseCertificate({ cert, key: good.key }).ok).toBe(true);
  });

  test("what can't be served is refused, in words", () => {
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (const [cert, key] of [
      [good.cert, other.key],
      [other.cert + good.cert, good.key],
    ] as const) {
      expect(refusal(cert, key)).toBe(
        "the private key is not that of the certificate, the first of its file",
      );
    }
    for (const cert of ["", "text", broken, good.key]) {
      expect(refusal(cert, good.key)).toStartWith("the certificate can't be read: ");
    }
    for (const key of ["", "text", good.cert]) {
      expect(refusal(good.cert, key)).toStartWith("the private key can't be read: ");
    }
    expect(refusal(good.cert + broken, good.key)).toStartWith(
      "the certificate chain can't be used: ",
    );
  });
});

describeWithPrograms("a key that no handshake can use", ["openssl"], () => {
  test("an RSA key that is too short for a handshake is refused with what to do", () => {
    const tls = makeTlsFiles(["a.example"], { key: ["-newkey", "rsa:512"] });
    expect(parseCertificate(tls)).toEqual({
      ok: false,
      part: "key",
      error: "peers refuse an RSA key of 512 bits: make one of 2048, or a P-256 key",
    });
  });

  test.each([
    ["secp256k1", "key"],
    ["brainpoolP256r1", "key"],
    ["secp224r1", "cert"],
  ] as const)(
    "a key on the curve %s, with which no handshake succeeds, is refused",
    (curve, part) => {
      const key = ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`];
      expect(parseCertificate(makeTlsFiles(["a.example"], { key }))).toMatchObject({
        ok: false,
        part,
      });
    },
  );
});

const RSA = ["-newkey", "rsa:2048"];
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

describeWithPrograms("a client that checks what a certificate is for", ["openssl"], () => {
  test.each([
    ["no restriction", EC, []],
    ["for servers", EC, ["extendedKeyUsage=clientAuth,serverAuth"]],
    ["for signatures", EC, ["keyUsage=digitalSignature"]],
    ["for key encipherment, with RSA", RSA, ["keyUsage=keyEncipherment"]],
  ] as const)("accepts one that is served: %s", async (_, key, extensions) => {
    const tls = withExtensions(extensions, key);
    expect(parseCertificate(tls).ok).toBe(true);
    expect(await handshake(tls)).toContain("Verify return code: 0 (ok)");
  });

  test.each([
    ["for clients", "extendedKeyUsage=clientAuth", "the certificate is not for servers: "],
    ["for code", "extendedKeyUsage=critical,codeSigning", "the certificate is not for servers: "],
    ["a precertificate", "1.3.6.1.4.1.11129.2.4.3=critical,ASN1:NULL", "it is a precertificate, "],
  ] as const)("refuses one that is not served: %s", async (_, extension, error) => {
    const tls = withExtensions([extension]);
    expect(refusal(tls.cert, tls.key)).toStartWith(error);
    expect(await handshake(tls)).toContain("verify error:");
  });

  test.each(["keyEncipherment", "keyAgreement", "keyCertSign"])(
    "an EC certificate for nothing but %s is not served",
    (usage) => {
      const tls = withExtensions([`keyUsage=${usage}`]);
      expect(refusal(tls.cert, tls.key)).toBe(
        "the certificate chain can't be used: key usage bit incorrect",
      );
      expect(() => listen(tls)).toThrow();
    },
  );

  test("one for any purpose is served: peers in Go accept it, though openssl does not", () => {
    expect(parseCertificate(withExtensions(["extendedKeyUsage=anyExtendedKeyUsage"])).ok).toBe(
      true,
    );
  });
});

function withExtensions(extensions: readonly string[], key: readonly string[] = EC) {
  const flags = extensions.flatMap((extension) => ["-addext", extension]);
  return makeTlsFiles(["a.example"], { flags, key });
}

function listen(tls: TlsFiles) {
  return Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response() });
}

/** What `openssl s_client`, which trusts the certificate itself, says of a listener that serves it. */
async function handshake(tls: TlsFiles): Promise<string> {
  using directory = temporaryDirectory();
  const trusted = join(directory.path, "trusted.pem");
  writeFileSync(trusted, tls.cert);
  const server = listen(tls);
  try {
    const flags = ["-CAfile", trusted, "-purpose", "sslserver", "-verify_return_error"];
    const client = Bun.spawn(
      ["openssl", "s_client", "-connect", `127.0.0.1:${server.port}`, ...flags],
      { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    return (await client.stdout.text()) + (await client.stderr.text());
  } finally {
    await server.stop(true);
  }
}
