import { expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { createCertificateRequest } from "../../../src/tls/acme/certificate-request.ts";
import type { AcmeHostnames } from "../../../src/tls/acme/hostnames.ts";
import { describeWithPrograms } from "../programs.ts";

/** With one name more, a request whose lengths need two bytes. */
const MANY = Array.from({ length: 99 }, (_, i) => `${"n".repeat(54)}${i + 10}.example`);
const LONG = `${"a.".repeat(122)}example`;

describeWithPrograms("a certificate request, as openssl reads it,", ["openssl"], () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

  /** Has openssl check the signature, and returns what it prints. */
  function read(request: Buffer, ...args: readonly string[]): string {
    const { exitCode, stdout, stderr } = Bun.spawnSync(
      ["openssl", "req", "-inform", "DER", "-noout", "-verify", ...args],
      { stdin: request },
    );
    expect(stderr.toString()).toInclude("verify OK");
    expect(exitCode).toBe(0);
    return stdout.toString();
  }

  test.each<[string, AcmeHostnames]>([
    ["one name", ["a.example"]],
    ["several names", ["a.example", "b.example", "xn--bcher-kva.example"]],
    ["a hundred names", ["a.example", ...MANY]],
    ["a long name", [LONG, "b.example"]],
  ])("has %s, in order", (_, hostnames) => {
    const text = read(createCertificateRequest(hostnames, privateKey), "-text");
    const [, names = ""] = /Subject Alternative Name: *\n *(.*)\n/.exec(text) ?? [];
    expect(names.split(", ")).toEqual(hostnames.map((name) => `DNS:${name}`));
    expect(text).toInclude("ASN1 OID: prime256v1");
    expect(text).toInclude("Signature Algorithm: ecdsa-with-SHA256");
    expect(text).toInclude("Version: 1 (0x0)");
  });

  test("is for the key", () => {
    const pem = createPublicKey(privateKey).export({ type: "spki", format: "pem" });
    expect(read(createCertificateRequest(["a.example"], privateKey), "-pubkey")).toBe(pem);
  });

  test.each([
    ["a.example", "subject=CN = a.example"],
    [`${"a".repeat(56)}.example`, `subject=CN = ${"a".repeat(56)}.example`],
    [`${"a".repeat(57)}.example`, "subject="],
  ])("has the first name %s as its common name, unless it is too long", (hostname, subject) => {
    const request = createCertificateRequest([hostname, "b.example"], privateKey);
    const printed = read(request, "-subject")
      .trim()
      .replace(/\s*=\s*/g, "=");
    expect(printed).toBe(subject.replaceAll(" = ", "="));
  });
});
