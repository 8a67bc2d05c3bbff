import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { openCertificates } from "../../src/roles/open-certificates.ts";
import { NO_CERTIFICATE_EVENTS } from "../../src/tls/certificate-events.ts";
import type { Transport } from "../../src/tls/transport.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { brokerCommand, runBroker } from "../kit/broker-process.ts";
import { LogLines } from "./log-lines.ts";
import { makeTlsFiles } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";

describeWithPrograms("a start with a file that is wrong", ["openssl"], () => {
  const { cert, key } = makeTlsFiles(["a.example"]);
  let directory: TemporaryDirectory;
  const at = (name: string) => join(directory.path, name);

  function openssl(...args: readonly string[]): Uint8Array {
    const { success, stdout, stderr } = Bun.spawnSync(["openssl", ...args]);
    if (!success) throw new Error(stderr.toString());
    return stdout;
  }

  beforeAll(() => {
    directory = temporaryDirectory();
    writeFileSync(at("cert.pem"), cert);
    writeFileSync(at("key.pem"), key);
    writeFileSync(at("other.pem"), makeTlsFiles(["a.example"]).key);
    writeFileSync(at("edited.pem"), `\ufeff\r\n${cert.replaceAll("\n", "\r\n")}\r\n`);
    writeFileSync(at("edited-key.pem"), `\ufeff${key.replaceAll("\n", "\r\n").trimEnd()}`);
    writeFileSync(at("empty"), " \n");
    writeFileSync(at("text"), "text\n");
    writeFileSync(at("broken.pem"), cert.replace(/^M../m, "AAAA"));
    writeFileSync(at("cut.pem"), cert.slice(0, 100));
    writeFileSync(at("broken-key.pem"), key.replace(/^M../m, "AAAA"));
    mkdirSync(at("directory"));
    const encrypt = ["-in", at("key.pem"), "-aes128", "-passout", "pass:x"];
    writeFileSync(at("cert.der"), openssl("x509", "-in", at("cert.pem"), "-outform", "der"));
    writeFileSync(at("key.der"), openssl("pkey", "-in", at("key.pem"), "-outform", "der"));
    writeFileSync(at("encrypted.pem"), openssl("pkey", ...encrypt));
    writeFileSync(at("encrypted-sec1.pem"), openssl("ec", ...encrypt));
    writeFileSync(at("public.pem"), openssl("pkey", "-in", at("key.pem"), "-pubout"));
  });
  afterAll(() => directory[Symbol.dispose]());

  /** What is to be mended, without the directory of the files. */
  function complaint(transport: Transport): string {
    const opened = openCertificates(transport, new LogLines().log, NO_CERTIFICATE_EVENTS);
    if (opened.ok) throw new Error("there is nothing to mend");
    return opened.error.replaceAll(`${directory.path}/`, "");
  }

  function pairComplaint(certFile: string, keyFile: string): string {
    return complaint({ kind: "tls", cert: at(certFile), key: at(keyFile) });
  }

  test("files as an editor may leave them are fine: byte order mark, CRLF, blank lines", async () => {
    const files: Transport = { kind: "tls", cert: at("edited.pem"), key: at("edited-key.pem") };
    const opened = openCertificates(files, new LogLines().log, NO_CERTIFICATE_EVENTS);
    expect(opened.ok).toBe(true);
    if (opened.ok) await opened.certificates?.close();
  });

  const PASSPHRASE =
    "the key has a passphrase, which nobody is asked for: openssl pkey -in FILE -out NEWFILE takes it off";

  test.each([
    ["nowhere", "key.pem", "--cert nowhere: there is no such file"],
    ["cert.pem", "nowhere", "--key nowhere: there is no such file"],
    ["cert.pem/x", "key.pem", "--cert cert.pem/x: a part of this path is a file and no directory"],
    ["directory", "key.pem", "--cert directory: it is a directory: name a file in it"],
    ["cert.pem", "directory", "--key directory: it is a directory: name a file in it"],
    ["empty", "key.pem", "--cert empty: it is empty"],
    ["cert.pem", "empty", "--key empty: it is empty"],
    [
      "text",
      "key.pem",
      "--cert text: it is no PEM file with a certificate: no line begins with -----BEGIN",
    ],
    [
      "cert.der",
      "key.pem",
      "--cert cert.der: it is binary and has to be PEM: openssl x509 -in FILE -out FILE.pem makes it so",
    ],
    [
      "cert.pem",
      "key.der",
      "--key key.der: it is binary and has to be PEM: openssl pkey -in FILE -out FILE.pem makes it so",
    ],
    ["cert.pem", "encrypted.pem", `--key encrypted.pem: ${PASSPHRASE}`],
    ["cert.pem", "encrypted-sec1.pem", `--key encrypted-sec1.pem: ${PASSPHRASE}`],
    [
      "key.pem",
      "cert.pem",
      "--cert key.pem: it holds a private key and no certificate: that is for --key",
    ],
    [
      "cert.pem",
      "cert.pem",
      "--key cert.pem: it holds a certificate and no private key: that is for --cert",
    ],
    ["public.pem", "key.pem", "--cert public.pem: it holds no certificate but PUBLIC KEY"],
    ["cert.pem", "public.pem", "--key public.pem: it holds no private key but PUBLIC KEY"],
    [
      "cert.pem",
      "other.pem",
      "--cert cert.pem and --key other.pem: the private key is not that of the certificate, the first of its file",
    ],
  ])("--cert %s --key %s", (certFile, keyFile, expected) => {
    expect(pairComplaint(certFile, keyFile)).toBe(expected);
  });

  test.each([
    ["broken.pem", "key.pem", "--cert broken.pem: the certificate can't be read: "],
    ["cut.pem", "key.pem", "--cert cut.pem: the certificate can't be read: "],
    ["cert.pem", "broken-key.pem", "--key broken-key.pem: the private key can't be read: "],
  ])("--cert %s --key %s: the library says why", (certFile, keyFile, expected) => {
    const line = pairComplaint(certFile, keyFile);
    expect(line).toStartWith(expected);
    expect(line.length).toBeGreaterThan(expected.length);
  });

  test.each([
    ["nowhere", "there is no such file"],
    ["directory", "it is a directory: name a file in it"],
    ["empty", "it is empty"],
    ["cert.der", "it is binary and has to be PEM: "],
    ["key.pem", "it holds a private key and no certificate: "],
    ["cut.pem", "it holds no certificate that is whole"],
    ["broken.pem", "a certificate in it can't be read: "],
  ])("--acme-ca %s", (ca, expected) => {
    const line = complaint({
      kind: "acme",
      hostnames: ["a.example"],
      email: undefined,
      cacheDirectory: at("cache"),
      httpAddr: { hostname: "127.0.0.1", port: 0 },
      directory: "https://a.example/",
      ca: at(ca),
    });
    expect(line).toStartWith(`--acme-ca ${ca}: ${expected}`);
    expect(line).not.toContain("OPENSSL");
  });

  const START = ["--addr=127.0.0.1:0", "--trusted-hops=0", "--disable-geoip"];
  const ACME = ["--acme-hostnames=a.example", "--acme-http-addr=127.0.0.1:0"];

  test.each([
    ["--cert", (bad: string) => [`--cert=${bad}`, `--key=${at("key.pem")}`]],
    ["--key", (bad: string) => [`--cert=${at("cert.pem")}`, `--key=${bad}`]],
    [
      "--acme-ca",
      (bad: string) => [...ACME, `--acme-ca=${bad}`, `--acme-cert-cache=${at("cache")}`],
    ],
  ])("the program prints one line and exits with 1: %s", async (option, flags) => {
    const bad = at("directory");
    const { stdout, stderr, exitCode } = await runBroker(...flags(bad), ...START);
    expect(stderr).toMatch(/^\S+ \S+ ERROR [^\n]*\n$/);
    expect(stderr).toEndWith(` ${option} ${bad}: it is a directory: name a file in it\n`);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
  });

  test("a key that this user may not read", () => {
    writeFileSync(at("secret.pem"), key);
    chmodSync(at("secret.pem"), 0);
    // Root may, unless it has lost its capabilities.
    const drop = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-all"] : [];
    const flags = [`--cert=${at("cert.pem")}`, `--key=${at("secret.pem")}`, ...START];
    const { exitCode, stderr } = Bun.spawnSync([...drop, ...brokerCommand(...flags)]);
    expect(stderr.toString()).toMatch(
      /^\S+ \S+ ERROR --key \S+\/secret\.pem: permission denied: give user \d+ the right to read it, [^\n]*\n$/,
    );
    expect(exitCode).toBe(1);
  });
});
