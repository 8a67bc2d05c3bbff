import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { TlsFiles } from "../../src/tls/certificate.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { until } from "../interop/waiting.ts";
import { BrokerProcess } from "../kit/broker-process.ts";
import { readExposition } from "../metrics/prometheus/exposition-reader.ts";
import { makeCertificate } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";
import { servedSerial } from "./served-serial.ts";

/** Longest time until a new certificate is served, in ms: the files are looked at every 2 s. */
const BOUND = 10_000;

describeWithPrograms("a broker with --cert and --key", ["openssl"], () => {
  const first = makeCertificate(["a.example"]);
  const second = makeCertificate(["a.example"], { days: 60 });

  let stage: AsyncDisposableStack;
  let broker: BrokerProcess;
  let directory: string;

  function put({ cert, key }: TlsFiles): void {
    writeFileSync(join(directory, "cert.pem"), cert);
    writeFileSync(join(directory, "key.pem"), key);
  }

  const serial = () => servedSerial(Number(new URL(broker.url).port));
  const served = (wanted: string) =>
    until(BOUND, "new certificate", async () =>
      // A connection that the old server has not taken when it stops is reset.
      (await serial().catch(() => "")) === wanted ? true : undefined,
    );

  async function shownExpiry(): Promise<number | undefined> {
    const name = "snowflake_certificate_expiry_timestamp_seconds";
    const response = await fetch(`${broker.url}prometheus?name[]=${name}`, {
      keepalive: false,
      tls: { rejectUnauthorized: false },
    });
    return readExposition(await response.text())[0]?.samples[0]?.value;
  }

  beforeEach(async () => {
    stage = new AsyncDisposableStack();
    directory = stage.use(temporaryDirectory()).path;
    put(first.tls);
    broker = stage.use(
      await BrokerProcess.start(
        `--cert=${join(directory, "cert.pem")}`,
        `--key=${join(directory, "key.pem")}`,
      ),
    );
    expect(await serial()).toBe(first.serialNumber);
  });
  afterEach(() => stage.disposeAsync());

  test(
    "serves what the files become, and shows when that expires",
    async () => {
      expect(await shownExpiry()).toBe(first.notAfter / 1000);
      put(second.tls);
      await served(second.serialNumber);
      expect(broker.log).toInclude("new certificate expires=");
      expect(await shownExpiry()).toBe(second.notAfter / 1000);
      broker.signal("SIGTERM");
      expect(await broker.exited).toBe(0);
    },
    2 * BOUND,
  );

  test("serves what the files have become when it is sent SIGHUP", async () => {
    put(second.tls);
    broker.signal("SIGHUP");
    await broker.logged("SIGHUP: configuration reloaded");
    await served(second.serialNumber);
  });

  test("serves the old ones where the new ones can't be used", async () => {
    put({ cert: second.tls.cert, key: first.tls.key });
    broker.signal("SIGHUP");
    await broker.logged("the private key is not that of the certificate");
    expect(await serial()).toBe(first.serialNumber);
  });
});
