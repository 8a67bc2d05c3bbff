import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { AcmeCache } from "../../../src/tls/acme/cache.ts";
import { parseCertificate } from "../../../src/tls/certificate.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../interop/temporary-directory.ts";
import { makeTlsFiles } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";

describeWithPrograms("the certificate cache", ["openssl"], () => {
  let directory: TemporaryDirectory;
  let path: string;
  let cache: AcmeCache;

  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, "a", "cache");
    const opened = AcmeCache.open(path);
    if (!opened.ok) throw new Error(opened.error);
    ({ cache } = opened);
  });
  afterEach(() => directory[Symbol.dispose]());

  const mode = (name = "") => (statSync(join(path, name)).mode & 0o777).toString(8);
  const text = (name: string) => Bun.file(join(path, name)).text();

  test("is for its owner alone", () => {
    cache.writeAccountKey("key");
    cache.writeCertificate("a.example", makeTlsFiles(["a.example"]));
    expect(mode()).toBe("700");
    expect(mode("acme_account+key")).toBe("600");
    expect(mode("a.example")).toBe("600");
    expect(readdirSync(path).toSorted()).toEqual(["a.example", "acme_account+key"]);
  });

  test("a pipe in place of a file is refused, and not waited for; writing replaces it", async () => {
    for (const name of ["acme_account+key", "a.example"]) {
      expect(Bun.spawnSync(["mkfifo", join(path, name)]).exitCode).toBe(0);
    }
    expect(() => cache.readAccountKey()).toThrow("it is not a regular file");
    expect(() => cache.readCertificate("a.example")).toThrow("it is not a regular file");
    cache.writeAccountKey("key");
    expect(cache.readAccountKey()).toBe("key");
  });

  test("makes a file that others could read one that they can't", async () => {
    await Bun.write(join(path, "acme_account+key"), "old");
    chmodSync(join(path, "acme_account+key"), 0o644);
    cache.writeAccountKey("new");
    expect(mode("acme_account+key")).toBe("600");
    expect(await text("acme_account+key")).toBe("new");
  });

  test("gives back what was put in, and nothing where nothing is", () => {
    const tls = makeTlsFiles(["a.example"]);
    const chain = { key: tls.key, cert: tls.cert + makeTlsFiles(["issuer.example"]).cert };
    expect(cache.readAccountKey()).toBeUndefined();
    expect(cache.readCertificate("a.example")).toBeUndefined();
    cache.writeAccountKey("key");
    cache.writeCertificate("a.example", chain);
    expect(cache.readAccountKey()).toBe("key");
    expect(cache.readCertificate("a.example")).toEqual(chain);
  });

  test("reads what Go's autocert writes: an EC key and the chain in one file", async () => {
    const tls = makeTlsFiles(["a.example"]);
    const sec1 = Bun.spawnSync(["openssl", "ec"], { stdin: Buffer.from(tls.key) });
    const key = sec1.stdout.toString();
    await Bun.write(join(path, "a.example"), key + tls.cert + tls.cert);
    const read = cache.readCertificate("a.example");
    expect(read).toEqual({ key, cert: tls.cert + tls.cert });
    if (read !== undefined) expect(parseCertificate(read).ok).toBe(true);
  });

  test("writes the key first and then the chain, which is what Go's autocert reads", async () => {
    cache.writeCertificate("a.example", { cert: "CHAIN", key: "KEY\n" });
    expect(await text("a.example")).toBe("KEY\nCHAIN\n");
  });

  test("leaves the old file where the new one can't be put, and no other", () => {
    mkdirSync(join(path, "a.example"));
    expect(() => cache.writeCertificate("a.example", { cert: "", key: "" })).toThrow();
    expect(readdirSync(path)).toEqual(["a.example"]);
    expect(() => cache.readCertificate("a.example")).toThrow();
  });

  test("that can't be made says why", async () => {
    await Bun.write(join(directory.path, "file"), "");
    for (const name of ["", join(directory.path, "file"), join(directory.path, "file", "cache")]) {
      expect(AcmeCache.open(name)).toEqual({
        ok: false,
        error: expect.stringMatching(/ENOENT|EEXIST|ENOTDIR/),
      });
    }
  });
});
