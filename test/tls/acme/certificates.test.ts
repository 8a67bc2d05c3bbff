import { beforeEach, expect, test } from "bun:test";

import type { CertificateAuthority } from "../../../src/tls/acme/authority.ts";
import { AcmeCertificates, type CertificateStore } from "../../../src/tls/acme/certificates.ts";
import type { AcmeHostnames } from "../../../src/tls/acme/hostnames.ts";
import { AuthorityError } from "../../../src/tls/acme/request.ts";
import type { CertificateEvents, OrderOutcome } from "../../../src/tls/certificate-events.ts";
import type { Certificate, TlsFiles } from "../../../src/tls/certificate.ts";
import { FakeTime } from "../fake-time.ts";
import { LogLines } from "../log-lines.ts";
import { makeCertificate } from "../made-certificate.ts";
import { describeWithPrograms } from "../programs.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An authority whose orders the test fulfils. */
class FakeAuthority implements CertificateAuthority {
  readonly orders: AcmeHostnames[] = [];
  signal: AbortSignal | undefined;
  #order = Promise.withResolvers<TlsFiles>();

  issue(hostnames: AcmeHostnames, signal: AbortSignal): Promise<TlsFiles> {
    this.orders.push(hostnames);
    this.signal = signal;
    this.#order = Promise.withResolvers();
    return this.#order.promise;
  }

  async fulfil(tls: TlsFiles): Promise<void> {
    this.#order.resolve(tls);
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    this.#order.reject(error);
    await settle();
  }
}

/** Lets promises that are settled be acted on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

class FakeStore implements CertificateStore {
  readonly files = new Map<string, TlsFiles>();
  broken = false;

  readCertificate(hostname: string): TlsFiles | undefined {
    if (this.broken) throw new Error("EACCES: not yours");
    return this.files.get(hostname);
  }

  writeCertificate(hostname: string, tls: TlsFiles): void {
    if (this.broken) throw new Error("EACCES: not yours");
    this.files.set(hostname, tls);
  }
}

class OrderCounts implements CertificateEvents {
  begun = 0;
  readonly outcomes: OrderOutcome[] = [];

  served(): void {
    throw new Error("a source serves nothing");
  }

  ordersBegin(): void {
    this.begun++;
  }

  orderEnded(outcome: OrderOutcome): void {
    this.outcomes.push(outcome);
  }
}

describeWithPrograms("a certificate that renews itself", ["openssl"], () => {
  const hostnames: AcmeHostnames = ["a.example", "b.example"];
  const first = makeCertificate(hostnames, { days: 90 });
  const second = makeCertificate(hostnames, { days: 180 });

  let time: FakeTime;
  let log: LogLines;
  let store: FakeStore;
  let authority: FakeAuthority;
  let events: OrderCounts;
  let changes: Certificate[];

  beforeEach(() => {
    time = new FakeTime(first.notBefore + 1000);
    log = new LogLines();
    store = new FakeStore();
    authority = new FakeAuthority();
    events = new OrderCounts();
    changes = [];
  });

  /** What falls due now has happened, too. */
  function start(random = 0): AcmeCertificates {
    const source = new AcmeCertificates({
      hostnames,
      authority,
      store,
      clock: time.clock,
      date: time.date,
      random: () => random,
      events,
      log: log.log,
    });
    source.onChange((certificate) => changes.push(certificate));
    time.advance(0);
    return source;
  }

  test("is ordered where there is none, and kept", async () => {
    const source = start();
    expect(source.current()).toBeUndefined();
    expect(authority.orders).toEqual([hostnames]);
    await authority.fulfil(first.tls);
    expect(source.current()?.tls).toEqual(first.tls);
    expect(changes.map(({ serialNumber }) => serialNumber)).toEqual([first.serialNumber]);
    expect(store.files).toEqual(new Map([["a.example", first.tls]]));
    expect(authority.orders).toHaveLength(1);
    expect(log.lines).toEqual([
      "a certificate is ordered hostnames=a.example,b.example",
      expect.stringMatching(/^new certificate hostnames=a.example,b.example expires=\S+Z renewal=/),
    ]);
  });

  test("that was kept is used at once, and nobody is asked", () => {
    store.files.set("a.example", first.tls);
    const source = start();
    expect(source.current()?.tls).toEqual(first.tls);
    time.advance(59 * DAY);
    expect(authority.orders).toEqual([]);
    expect(source.reload()).toEqual({ ok: true });
  });

  test.each([
    ["for other names", makeCertificate(["a.example"]).tls, "it is not for b.example"],
    ["broken", { cert: "text", key: first.tls.key }, "the certificate can't be read: "],
    ["with another key", { cert: first.tls.cert, key: second.tls.key }, "the private key is not"],
  ])("that was kept is replaced if it is %s", async (_, tls, reason) => {
    store.files.set("a.example", tls);
    const source = start();
    expect(source.current()).toBeUndefined();
    expect(log.of("WARN").join()).toInclude(reason);
    await authority.fulfil(first.tls);
    expect(store.files.get("a.example")).toEqual(first.tls);
  });

  test("that was kept is replaced if it has expired", () => {
    store.files.set("a.example", first.tls);
    time = new FakeTime(first.notAfter);
    expect(start().current()).toBeUndefined();
    expect(authority.orders).toHaveLength(1);
  });

  test("that was kept and is due is used until the new one is there", async () => {
    store.files.set("a.example", first.tls);
    time = new FakeTime(first.notBefore + 80 * DAY);
    const source = start();
    expect(source.current()?.tls).toEqual(first.tls);
    expect(authority.orders).toHaveLength(1);
    await authority.fulfil(second.tls);
    expect(source.current()?.tls).toEqual(second.tls);
  });

  test.each([
    [0, 60 * DAY],
    [1, 55.5 * DAY],
  ])("is renewed after two thirds of its life or a little earlier: %p", async (random, age) => {
    store.files.set("a.example", first.tls);
    const source = start(random);
    time.advance(age - 1000 - MINUTE);
    expect(authority.orders).toEqual([]);
    time.advance(MINUTE);
    expect(authority.orders).toEqual([hostnames]);
    await authority.fulfil(second.tls);
    expect(source.current()?.tls).toEqual(second.tls);
    expect(changes).toHaveLength(1);
    expect(store.files.get("a.example")).toEqual(second.tls);
    // And so on.
    time.advance(180 * DAY);
    expect(authority.orders).toHaveLength(2);
  });

  test("is renewed on the date even if that was set", () => {
    store.files.set("a.example", first.tls);
    start();
    time.setDate(first.notBefore + 59 * DAY);
    time.advance(HOUR);
    expect(authority.orders).toEqual([]);
    time.setDate(first.notBefore + 61 * DAY);
    time.advance(HOUR);
    expect(authority.orders).toHaveLength(1);
  });

  test("is asked for again in a minute even if the date was set back", async () => {
    start();
    await authority.fail(new Error("x"));
    time.setDate(first.notBefore - 365 * DAY);
    time.advance(MINUTE);
    expect(authority.orders).toHaveLength(2);
  });

  test("that is due when it comes is not renewed at once", async () => {
    time = new FakeTime(first.notBefore + 80 * DAY);
    const source = start();
    await authority.fulfil(first.tls);
    expect(source.current()?.tls).toEqual(first.tls);
    time.advance(5 * DAY - MINUTE);
    expect(authority.orders).toHaveLength(1);
    time.advance(MINUTE);
    expect(authority.orders).toHaveLength(2);
  });

  test("that is refused is asked for again and again, less and less often", async () => {
    const source = start();
    const waits: number[] = [];
    for (let failures = 1; failures <= 12; failures++) {
      await authority.fail(new AuthorityError("a.example: refused", "unauthorized"));
      expect(log.of("ERROR")).toHaveLength(failures);
      let waited = 0;
      for (; authority.orders.length === failures; waited += MINUTE) time.advance(MINUTE);
      waits.push(waited / MINUTE);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
    expect(log.of("ERROR")[3]).toMatch(
      /^no certificate for a\.example, b\.example: a\.example: refused advice="each host name has to lead to this machine.*" attempts=4 next=\S+Z meanwhile="nobody can connect"$/,
    );

    // A success ends the waiting.
    await authority.fulfil(first.tls);
    expect(source.current()?.tls).toEqual(first.tls);
    const asked = authority.orders.length;
    time.advance(first.notAfter - time.date());
    expect(authority.orders.length).toBe(asked + 1);
    await authority.fail(new Error("x"));
    time.advance(MINUTE);
    expect(authority.orders.length).toBe(asked + 2);
  });

  test("that can't be renewed stays in use to its end and beyond", async () => {
    store.files.set("a.example", first.tls);
    const source = start();
    time.advance(60 * DAY);
    for (let attempt = 0; attempt < 200; attempt++) {
      await authority.fail(new Error("two\nlines"));
      time.advance(6 * HOUR);
      expect(source.current()?.tls).toEqual(first.tls);
    }
    expect(time.date()).toBeGreaterThan(first.notAfter);
    expect(changes).toEqual([]);
    const [line] = log.of("ERROR");
    expect(line).toStartWith("no certificate for a.example, b.example: two lines advice=");
    expect(line).toEndWith(`"old one expires"=${new Date(first.notAfter).toISOString()}`);
  });

  test("is asked for when the authority wants, but within a day", async () => {
    start();
    await authority.fail(new AuthorityError("too many", "rateLimited", 3600));
    time.advance(HOUR - 1);
    expect(authority.orders).toHaveLength(1);
    time.advance(1);
    expect(authority.orders).toHaveLength(2);
    await authority.fail(new AuthorityError("too many", "rateLimited", 10 * 24 * 3600));
    time.advance(DAY);
    expect(authority.orders).toHaveLength(3);
  });

  test("that does not fit is as good as none", async () => {
    const source = start();
    await authority.fulfil(makeCertificate(["a.example"]).tls);
    expect(source.current()).toBeUndefined();
    expect(store.files.size).toBe(0);
    expect(log.of("ERROR")[0]).toInclude("it is not for b.example");
    time.advance(MINUTE);
    expect(authority.orders).toHaveLength(2);
  });

  test("is used even if it can't be kept", async () => {
    store.broken = true;
    const source = start();
    await authority.fulfil(first.tls);
    expect(source.current()?.tls).toEqual(first.tls);
    expect(log.of("WARN")).toEqual([
      'the certificate that was kept can\'t be used reason="EACCES: not yours"',
      'the certificate can\'t be kept: the next start will order another reason="EACCES: not yours"',
    ]);
  });

  test("is counted by how its orders end, but not those that the end cuts short", async () => {
    const source = start();
    expect(events).toMatchObject({ begun: 1, outcomes: [] });
    await authority.fail(new Error("x"));
    time.advance(2 * MINUTE);
    await authority.fulfil(makeCertificate(["a.example"]).tls);
    time.advance(3 * MINUTE);
    await authority.fulfil(first.tls);
    expect(events).toMatchObject({ begun: 1, outcomes: ["failure", "failure", "success"] });
    time.advance(60 * DAY);
    source.stop();
    await authority.fail(authority.signal?.reason);
    expect(events.outcomes).toHaveLength(3);
  });

  test("is not asked for after the end", async () => {
    const source = start();
    source.stop();
    expect(authority.signal?.aborted).toBe(true);
    await authority.fail(authority.signal?.reason);
    expect(log.of("ERROR")).toEqual([]);
    expect(time.clock.timers).toBe(0);

    store.files.set("a.example", first.tls);
    start().stop();
    expect(time.clock.timers).toBe(0);
  });

  test("that comes when all is over is kept for the next start", async () => {
    const source = start();
    source.stop();
    await authority.fulfil(first.tls);
    expect(store.files.get("a.example")).toEqual(first.tls);
    expect(changes).toEqual([]);
    expect(time.clock.timers).toBe(0);
  });
});
