import { afterEach, beforeEach, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";

import { ACME_FIELDS, createAcmeHandler } from "../../src/frontend/http/acme-http.ts";
import { HttpServer, NO_CONNECTION_EVENTS } from "../../src/http/server.ts";
import { AcmeAuthority } from "../../src/tls/acme/authority.ts";
import { AcmeCache } from "../../src/tls/acme/cache.ts";
import { AcmeCertificates } from "../../src/tls/acme/certificates.ts";
import type { AcmeHostnames } from "../../src/tls/acme/hostnames.ts";
import { NO_CERTIFICATE_EVENTS } from "../../src/tls/certificate-events.ts";
import type { Certificate } from "../../src/tls/certificate.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { until } from "../interop/waiting.ts";
import { FakeTime } from "../tls/fake-time.ts";
import { LogLines } from "../tls/log-lines.ts";
import { describeWithPrograms } from "../tls/programs.ts";
import { startFlakyProxy } from "./flaky-proxy.ts";
import { type Pebble, type PebbleOptions, startPebble } from "./pebble.ts";

const MINUTE = 60_000;
/** Longest time of an order, in ms; it takes about 150. */
const BOUND = 10_000;

describeWithPrograms("ACME with Pebble", ["pebble", "pebble-challtestsrv", "openssl"], () => {
  const hostnames: AcmeHostnames = ["a.example", "b.example"];

  let stage: AsyncDisposableStack;
  let challenges: Map<string, string>;
  let httpPort: number;
  let directory: string;
  let time: FakeTime;
  let log: LogLines;

  beforeEach(() => {
    stage = new AsyncDisposableStack();
    challenges = new Map();
    const listener = new HttpServer({
      hostname: "127.0.0.1",
      port: 0,
      tls: undefined,
      sharePort: false,
      handler: createAcmeHandler(challenges),
      fields: ACME_FIELDS,
      events: NO_CONNECTION_EVENTS,
      maxConnections: 100,
      onBug: (error) => log.log.error(String(error)),
    });
    stage.defer(() => listener.stop(1_000));
    httpPort = listener.port;
    directory = join(stage.use(temporaryDirectory()).path, "cache");
    time = new FakeTime();
    log = new LogLines();
  });
  afterEach(() => stage.disposeAsync());

  const pebbleWith = async (options: Partial<PebbleOptions> = {}) =>
    stage.use(await startPebble({ httpPort, ...options }));

  /** The source as the program has it, but for the clock and the patience with Pebble. */
  async function start(
    { authorityFile }: Pebble,
    url: string,
    names: AcmeHostnames = hostnames,
  ): Promise<AcmeCertificates> {
    const opened = AcmeCache.open(directory);
    if (!opened.ok) throw new Error(opened.error);
    const source = new AcmeCertificates({
      hostnames: names,
      authority: new AcmeAuthority({
        directory: url,
        ca: await Bun.file(authorityFile).text(),
        email: "operator@a.example",
        accountKeys: opened.cache,
        challenges,
        log: log.log,
        lookAgain: 20,
      }),
      store: opened.cache,
      clock: time.clock,
      date: time.date,
      events: NO_CERTIFICATE_EVENTS,
      random: () => 0,
      log: log.log,
    });
    stage.defer(() => source.stop());
    time.advance(0);
    return source;
  }

  const issued = (source: AcmeCertificates, other?: Certificate) =>
    until(BOUND, "certificate", () => {
      const certificate = source.current();
      return certificate?.serialNumber === other?.serialNumber ? undefined : certificate;
    });

  const failed = (attempts: number) =>
    until(BOUND, "failure", () => log.of("ERROR").find((_, i) => i === attempts - 1));

  const accountsMade = () =>
    log.lines.filter((line) => line.startsWith("ACME account made")).length;

  test("one certificate for all names, with a P-256 key, by the authority", async () => {
    const pebble = await pebbleWith();
    const certificate = await issued(await start(pebble, pebble.directory));
    expect(hostnames.filter(certificate.covers)).toEqual([...hostnames]);
    const key = createPrivateKey(certificate.tls.key);
    expect(key.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");

    const [leaf, intermediate] = certificate.tls.cert
      .split(/(?=-----BEGIN)/)
      .map((pem) => new X509Certificate(pem));
    if (leaf === undefined || intermediate === undefined) throw new Error("it is no chain");
    expect(leaf.verify(intermediate.publicKey)).toBe(true);
    const root = new X509Certificate(await pebble.issuer());
    expect(intermediate.verify(root.publicKey)).toBe(true);

    expect(challenges.size).toBe(0);
    expect(accountsMade()).toBe(1);
    expect(log.lines.join("\n")).toInclude("terms of service agreed to terms=");
    expect(log.of("ERROR")).toEqual([]);
  });

  test("a restart needs nobody: the certificate was kept", async () => {
    const pebble = await startPebble({ httpPort });
    const first = await start(pebble, pebble.directory);
    const { serialNumber } = await issued(first);
    first.stop();
    const authorityFile = join(stage.use(temporaryDirectory()).path, "authority.pem");
    await Bun.write(authorityFile, Bun.file(pebble.authorityFile));
    await pebble[Symbol.asyncDispose]();

    const again = await start({ ...pebble, authorityFile }, pebble.directory);
    expect(again.current()?.serialNumber).toBe(serialNumber);

    // When it is due while the authority is gone, it stays.
    time.advance(23 * 60 * MINUTE);
    expect(await failed(1)).toInclude("no answer from");
    expect(again.current()?.serialNumber).toBe(serialNumber);
  });

  test("a certificate that is good for an hour is renewed after forty minutes", async () => {
    const pebble = await pebbleWith({ validity: 3600 });
    const source = await start(pebble, pebble.directory);
    const changes: string[] = [];
    source.onChange(({ serialNumber }) => changes.push(serialNumber));
    const first = await issued(source);
    time.advance(first.notBefore + 39 * MINUTE - time.date());
    expect(time.clock.timers).toBe(1);
    time.advance(MINUTE);
    const second = await issued(source, first);
    expect(changes).toEqual([first.serialNumber, second.serialNumber]);
    expect(second.tls.key).not.toBe(first.tls.key);
    expect(accountsMade()).toBe(1);
  });

  test("the account and what was proved are used again by the next process", async () => {
    const pebble = await pebbleWith({ rememberedProofs: 100 });
    const first = await start(pebble, pebble.directory);
    const certificate = await issued(first);
    first.stop();
    await Bun.write(join(directory, "a.example"), "spoilt");
    const second = await issued(await start(pebble, pebble.directory));
    expect(second.serialNumber).not.toBe(certificate.serialNumber);
    expect(accountsMade()).toBe(1);
    expect(log.of("WARN")).toEqual([expect.stringContaining("can't be read")]);
  });

  test("an account's key that can't be used is replaced", async () => {
    const pebble = await pebbleWith();
    await Bun.write(join(directory, "acme_account+key"), "spoilt");
    await issued(await start(pebble, pebble.directory));
    expect(log.of("WARN")).toEqual([
      expect.stringContaining("the ACME account's key can't be used: a new account is made"),
    ]);
    expect(await Bun.file(join(directory, "acme_account+key")).text()).toInclude("EC PRIVATE KEY");
  });

  test("an authority that refuses every second nonce is asked until it gives in", async () => {
    const pebble = await pebbleWith({ refusedNonces: 50 });
    const source = await start(pebble, pebble.directory);
    const certificate = await until(BOUND, "certificate", () => {
      time.advance(10 * MINUTE);
      return source.current();
    });
    expect(hostnames.filter(certificate.covers)).toEqual([...hostnames]);
  });

  test("a host name that is not ours: one line for each attempt, which says what is wrong", async () => {
    const pebble = await pebbleWith();
    await pebble.leadAway("not-ours.example");
    const source = await start(pebble, pebble.directory, ["a.example", "not-ours.example"]);
    const line = await failed(1);
    expect(line).toStartWith("no certificate for a.example, not-ours.example: not-ours.example: ");
    expect(line).toInclude("connection refused");
    expect(line).toInclude('advice="each host name has to lead to this machine');
    expect(line).not.toInclude("127.0.0.2");
    time.advance(2 * MINUTE);
    await failed(2);
    expect(log.of("ERROR")).toHaveLength(2);
    expect(source.current()).toBeUndefined();
    expect(challenges.size).toBe(0);
  });

  test("a name that nobody may have is refused at once", async () => {
    const pebble = await pebbleWith();
    await start(pebble, pebble.directory, ["a.example", "blocked.example"]);
    expect(await failed(1)).toMatch(/blocked\.example.*advice="see whether every name/);
  });

  test.each([2, 4, 6, 8, 10])(
    "an authority that fails at request %p is asked again",
    async (request) => {
      const pebble = await pebbleWith();
      const proxy = stage.use(await startFlakyProxy(pebble));
      proxy.failAt(request);
      const source = await start(
        { ...pebble, authorityFile: proxy.authorityFile },
        proxy.directory,
      );
      expect(await failed(1)).toInclude("the certificate authority answered with status 503");
      time.advance(2 * MINUTE);
      await issued(source);
      expect(proxy.requests).toBeGreaterThan(request);
      expect(log.of("ERROR")).toHaveLength(1);
      expect(challenges.size).toBe(0);
    },
  );

  test("what is no ACME directory is said so", async () => {
    const pebble = await pebbleWith();
    await start(pebble, pebble.directory.replace(/dir$/, "nothing"));
    expect(await failed(1)).toInclude("answered with status 404");
    const proxy = stage.use(await startFlakyProxy(pebble));
    await start({ ...pebble, authorityFile: proxy.authorityFile }, `${proxy.directory}?empty`);
    expect(await failed(2)).toInclude("is no ACME directory");
  });
});
