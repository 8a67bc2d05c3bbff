import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Certificate, TlsFiles } from "../../src/tls/certificate.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { childrenOf, isRunning } from "../kit/process-tree.ts";
import { readExposition } from "../metrics/prometheus/exposition-reader.ts";
import { makeCertificate } from "../tls/made-certificate.ts";
import { describeWithPrograms } from "../tls/programs.ts";
import { servedSerial } from "../tls/served-serial.ts";

const EXPIRY = "snowflake_certificate_expiry_timestamp_seconds";

describeWithPrograms("workers with a certificate", ["openssl"], () => {
  const first = makeCertificate(["a.example"], { days: 30 });
  const second = makeCertificate(["a.example"], { days: 60 });
  const runtimeDirectory = process.env["RUNTIME_DIRECTORY"];

  let stage: AsyncDisposableStack;
  let files: TemporaryDirectory;
  let runtime: TemporaryDirectory;

  const at = (name: string) => join(files.path, name);

  function put({ cert, key }: TlsFiles): void {
    for (const [name, text] of [
      ["cert.pem", cert],
      ["key.pem", key],
    ] as const) {
      writeFileSync(at(`${name}.new`), text);
      renameSync(at(`${name}.new`), at(name));
    }
  }

  beforeEach(() => {
    stage = new AsyncDisposableStack();
    files = stage.use(temporaryDirectory());
    runtime = stage.use(temporaryDirectory());
    process.env["RUNTIME_DIRECTORY"] = runtime.path;
    put(first.tls);
  });
  afterEach(async () => {
    if (runtimeDirectory === undefined) delete process.env["RUNTIME_DIRECTORY"];
    else process.env["RUNTIME_DIRECTORY"] = runtimeDirectory;
    await stage.disposeAsync();
  });

  const ownFiles = () => [`--cert=${at("cert.pem")}`, `--key=${at("key.pem")}`];

  async function start(workers: number, transport = ownFiles()): Promise<BrokerProcess> {
    return stage.use(
      await BrokerProcess.startRole(
        ...[`--workers=${workers}`, `--addr=127.0.0.1:${freePort()}`, "--disable-geoip"],
        ...["--trusted-hops=0", ...transport],
      ),
    );
  }

  /** No connection outlives its request: the next one may get to another worker. */
  async function figures({ url }: BrokerProcess, query = "") {
    const response = await fetch(`${url}prometheus${query}`, {
      keepalive: false,
      tls: { rejectUnauthorized: false },
    });
    return readExposition(await response.text());
  }

  async function shownExpiry(broker: BrokerProcess): Promise<number | undefined> {
    const [family] = await figures(broker, `?name[]=${EXPIRY}`);
    expect(family?.samples).toHaveLength(1);
    return family?.samples[0]?.value;
  }

  const serves = (broker: BrokerProcess, { serialNumber }: Certificate) =>
    untilHolds(`serves ${serialNumber}`, async () => {
      const serial = servedSerial(Number(new URL(broker.url).port));
      return (await serial.catch(() => "")) === serialNumber;
    });

  test("have each new one at once, one that is started again too, and show its expiry once", async () => {
    const broker = await start(1);
    await serves(broker, first);
    expect(await shownExpiry(broker)).toBe(first.notAfter / 1000);
    const names = (await figures(broker)).map((family) => family.name);
    expect(names.filter((name) => name === EXPIRY)).toHaveLength(1);
    expect(names).not.toContain("snowflake_certificate_renewals_total");

    put(second.tls);
    broker.signal("SIGHUP");
    await serves(broker, second);
    await untilHolds(
      "new expiry",
      async () => (await shownExpiry(broker).catch(() => 0)) === second.notAfter / 1000,
    );

    const [worker] = childrenOf(broker.pid);
    if (worker === undefined) throw new Error("no worker");
    process.kill(worker, "SIGKILL");
    await broker.logged("started again");
    await serves(broker, second);
    expect(await shownExpiry(broker)).toBe(second.notAfter / 1000);

    broker.signal("SIGTERM");
    expect(await broker.exited).toBe(0);
    expect(readdirSync(runtime.path)).toEqual([]);
    expect(broker.log).not.toContain("ERROR");
  });

  test("have the one that their parent orders, and show its orders and its expiry once", async () => {
    writeFileSync(at("a.example"), first.tls.key + first.tls.cert);
    const broker = await start(2, [
      ...["--acme-hostnames=a.example", `--acme-cert-cache=${files.path}`],
      ...["--acme-http-addr=127.0.0.1:0", "--acme-directory=https://127.0.0.1:1/"],
    ]);
    await serves(broker, first);
    expect(await shownExpiry(broker)).toBe(first.notAfter / 1000);
    const shown = await figures(broker);
    expect(shown.filter(({ name }) => name === EXPIRY)).toHaveLength(1);
    const renewals = shown.filter(({ name }) => name === "snowflake_certificate_renewals_total");
    expect(renewals).toMatchObject([{ samples: [{ value: 0 }, { value: 0 }] }]);
  });

  test("kill -9 of their parent leaves no key behind, and the next start removes what it leaves", async () => {
    const killed = await start(2);
    await serves(killed, first);
    const [left = "", ...more] = readdirSync(runtime.path);
    expect(more).toEqual([]);
    await untilHolds("both listen", async () => killed.log.split("listening on ").length === 3);
    const workers = childrenOf(killed.pid);
    expect(workers).toHaveLength(2);
    killed.signal("SIGKILL");
    await killed.exited;
    expect(readdirSync(join(runtime.path, left))).toEqual(["core.sock"]);
    await untilHolds("end of the workers", async () => !workers.some(isRunning));

    const next = await start(1);
    await serves(next, first);
    expect(existsSync(join(runtime.path, left))).toBe(false);
    expect(readdirSync(runtime.path)).toHaveLength(1);
  });
});

test("no series of a worker falls from one scrape to the next, whichever of them answers", async () => {
  await using broker = await BrokerProcess.startRole(
    ...["--workers=2", `--addr=127.0.0.1:${freePort()}`, "--disable-tls", "--disable-geoip"],
  );
  const cpu = "snowflake_frontend_process_cpu_seconds_total";
  const last = new Map<string, number>();
  let scrapes = 0;
  await untilHolds("reached both workers", async () => {
    // A connection of its own for each: the kernel deals them to the workers.
    const scraped = await fetch(`${broker.url}prometheus`, { keepalive: false });
    for (const { name, samples } of readExposition(await scraped.text())) {
      if (name !== cpu) continue;
      for (const { labels, value } of samples) {
        const series = JSON.stringify(labels);
        expect(value).toBeGreaterThanOrEqual(last.get(series) ?? 0);
        last.set(series, value);
      }
    }
    return ++scrapes >= 20 && last.size === 2;
  });
});
