import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CertificateFiles } from "../../src/tls/certificate-files.ts";
import type { Certificate, TlsFiles } from "../../src/tls/certificate.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { FakeTime } from "./fake-time.ts";
import { LogLines } from "./log-lines.ts";
import { makeTlsFiles } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";

/** Milliseconds between two looks at the files. */
const LOOK = 2_000;
const DAY = 86_400_000;

describeWithPrograms("certificate files", ["openssl"], () => {
  const first = makeTlsFiles(["a.example"], { days: 30 });
  const second = makeTlsFiles(["a.example"], { days: 60 });

  let directory: TemporaryDirectory;
  let time: FakeTime;
  let log: LogLines;
  let source: CertificateFiles;
  let changes: Certificate[];

  const certPath = () => join(directory.path, "cert.pem");
  const keyPath = () => join(directory.path, "key.pem");
  const open = () =>
    CertificateFiles.open({
      cert: certPath(),
      key: keyPath(),
      clock: time.clock,
      date: time.date,
      log: log.log,
    });

  /** Puts a file in the place of another, as careful programs do. */
  function put(path: string, text: string): void {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  function putBoth({ cert, key }: TlsFiles): void {
    put(certPath(), cert);
    put(keyPath(), key);
  }

  beforeEach(() => {
    directory = temporaryDirectory();
    time = new FakeTime();
    log = new LogLines();
    changes = [];
    putBoth(first);
    const opened = open();
    if (!opened.ok) throw new Error(opened.error);
    ({ source } = opened);
    source.onChange((certificate) => changes.push(certificate));
  });
  afterEach(() => {
    source.stop();
    directory[Symbol.dispose]();
  });

  test("are read at the start", () => {
    expect(source.current()?.tls).toEqual(first);
    time.advance(10 * LOOK);
    expect(changes).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  test("that can't be used end the start, by their name", () => {
    put(keyPath(), second.key);
    expect(open()).toEqual({
      ok: false,
      error: `--cert ${certPath()} and --key ${keyPath()}: the private key is not that of the certificate, the first of its file`,
    });
    rmSync(keyPath());
    expect(open()).toMatchObject({ ok: false, error: expect.stringContaining(keyPath()) });
  });

  test("are read again when both have been replaced, within two looks", () => {
    putBoth(second);
    time.advance(LOOK);
    expect(source.current()?.tls).toEqual(first);
    time.advance(LOOK);
    expect(source.current()?.tls).toEqual(second);
    expect(changes.map((certificate) => certificate.tls)).toEqual([second]);
    expect(log.lines).toEqual([expect.stringMatching(/^new certificate expires=20\d\d-/)]);
  });

  test("are left alone while they change", () => {
    put(certPath(), second.cert);
    time.advance(LOOK);
    put(keyPath(), second.key);
    time.advance(LOOK);
    expect(log.lines).toEqual([]);
    time.advance(LOOK);
    expect(source.current()?.tls).toEqual(second);
  });

  test("written over in place are seen, too", () => {
    writeFileSync(certPath(), second.cert);
    writeFileSync(keyPath(), second.key);
    time.advance(2 * LOOK);
    expect(source.current()?.tls).toEqual(second);
  });

  test("behind links that are turned are seen, too", () => {
    const link = join(directory.path, "live");
    const roads = ["1", "2"].map((name) => join(directory.path, name));
    for (const [i, road] of roads.entries()) {
      writeFileSync(`${road}.pem`, i === 0 ? first.cert : second.cert);
      writeFileSync(`${road}.key`, i === 0 ? first.key : second.key);
    }
    const turn = (road = "") => {
      for (const kind of ["pem", "key"]) {
        rmSync(`${link}.${kind}`, { force: true });
        symlinkSync(`${road}.${kind}`, `${link}.${kind}`);
      }
    };
    turn(roads[0]);
    const opened = CertificateFiles.open({
      cert: `${link}.pem`,
      key: `${link}.key`,
      clock: time.clock,
      date: time.date,
      log: log.log,
    });
    if (!opened.ok) throw new Error(opened.error);
    turn(roads[1]);
    time.advance(2 * LOOK);
    expect(opened.source.current()?.tls).toEqual(second);
    opened.source.stop();
  });

  test("that do not belong together leave the old ones in use, with one line", () => {
    put(certPath(), second.cert);
    time.advance(20 * LOOK);
    expect(source.current()?.tls).toEqual(first);
    expect(changes).toEqual([]);
    expect(log.of("ERROR")).toEqual([
      expect.stringMatching(
        /^--cert \S+ and --key \S+: the private key is not that of the certificate, the first of its file; the old one stays in use expires=20\d\d-/,
      ),
    ]);
    put(keyPath(), second.key);
    time.advance(2 * LOOK);
    expect(source.current()?.tls).toEqual(second);
  });

  test("that are gone for a while leave the old ones in use", () => {
    rmSync(certPath());
    time.advance(20 * LOOK);
    expect(source.current()?.tls).toEqual(first);
    expect(log.of("ERROR")).toHaveLength(1);
    put(certPath(), first.cert);
    time.advance(20 * LOOK);
    expect(changes).toEqual([]);
    expect(log.of("ERROR")).toHaveLength(1);
  });

  test("are read at once when the operator asks", () => {
    putBoth(second);
    expect(source.reload()).toEqual({ ok: true });
    expect(changes.map((certificate) => certificate.tls)).toEqual([second]);
    time.advance(20 * LOOK);
    expect(changes).toHaveLength(1);
  });

  test("are refused at once when the operator asks and they are broken", () => {
    put(certPath(), "text");
    expect(source.reload()).toMatchObject({
      ok: false,
      error: `--cert ${certPath()}: it is no PEM file with a certificate: no line begins with -----BEGIN`,
    });
    expect(source.current()?.tls).toEqual(first);
    time.advance(20 * LOOK);
    expect(log.lines).toEqual([]);
  });

  test("that are not for servers are refused at start, and later leave the old ones in use", () => {
    putBoth(makeTlsFiles(["a.example"], { flags: ["-addext", "extendedKeyUsage=clientAuth"] }));
    const error = `--cert ${certPath()}: the certificate is not for servers: get one whose extended key usage has serverAuth`;
    expect(open()).toEqual({ ok: false, error });
    expect(source.reload()).toEqual({ ok: false, error });
    expect(source.current()?.tls).toEqual(first);
    expect(changes).toEqual([]);
  });

  test("touched but the same are no change", () => {
    putBoth(first);
    chmodSync(certPath(), 0o600);
    time.advance(2 * LOOK);
    source.reload();
    expect(changes).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  test("that are not valid yet are served with a warning", () => {
    time = new FakeTime(Date.now() - 2 * DAY);
    const opened = open();
    if (!opened.ok) throw new Error(opened.error);
    expect(log.of("WARN")).toEqual([
      expect.stringMatching(/^the certificate is not valid yet: .* begins=20/),
    ]);
  });

  test("that have expired are served with a warning", () => {
    time = new FakeTime(Date.now() + 31 * DAY);
    const opened = open();
    if (!opened.ok) throw new Error(opened.error);
    expect(opened.source.current()?.tls).toEqual(first);
    expect(log.of("WARN")).toEqual([
      expect.stringMatching(/^the certificate has expired expires=20/),
    ]);
    opened.source.stop();
  });

  test("are not looked at after the end, nor told to who has left", () => {
    const leave = source.onChange(() => {
      throw new Error("told");
    });
    leave();
    source.stop();
    putBoth(second);
    time.advance(20 * LOOK);
    expect(time.clock.timers).toBe(0);
    expect(source.current()?.tls).toEqual(first);
  });
});
