import { expect, test } from "bun:test";

import { parseCertificate } from "../../src/tls/certificate.ts";
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
