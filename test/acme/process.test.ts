import { afterEach, beforeEach, expect, test } from "bun:test";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { ChildProcess } from "../interop/child-process.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { brokerCommand, BrokerProcess, runBroker } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { describeWithPrograms } from "../tls/programs.ts";
import { servedSerial } from "../tls/served-serial.ts";
import { startPebble } from "./pebble.ts";

/** Longest time of one test, in ms; the broker's own patience with an order is 2 s. */
const TIMEOUT = 30_000;

describeWithPrograms(
  "a broker with --acme-hostnames",
  ["pebble", "pebble-challtestsrv", "openssl"],
  () => {
    let stage: AsyncDisposableStack;
    let directory: string;
    beforeEach(() => {
      stage = new AsyncDisposableStack();
      directory = stage.use(temporaryDirectory()).path;
    });
    afterEach(() => stage.disposeAsync());

    test(
      "gets a certificate, serves it, and after a restart serves it again without the authority",
      async () => {
        const httpPort = freePort();
        const pebble = await startPebble({ httpPort });
        stage.defer(() => pebble[Symbol.asyncDispose]());
        const trust = { ca: await pebble.issuer(), servername: "b.example" };
        const args = [
          "--acme-hostnames=a.example,b.example",
          "--acme-email=operator@a.example",
          `--acme-cert-cache=${join(directory, "cache")}`,
          `--acme-http-addr=127.0.0.1:${httpPort}`,
          `--acme-directory=${pebble.directory}`,
          `--acme-ca=${pebble.authorityFile}`,
        ];

        const first = stage.use(await BrokerProcess.start(...args));
        expect(first.url).toStartWith("https://localhost:");
        const serial = await servedSerial(Number(new URL(first.url).port), trust);
        expect(first.log).toInclude("terms of service agreed to");
        expect(first.log).toInclude("new certificate hostnames=a.example,b.example expires=");
        expect(first.log).not.toInclude("ERROR");
        expect(readdirSync(join(directory, "cache")).toSorted()).toEqual([
          "a.example",
          "acme_account+key",
        ]);
        const redirect = await fetch(`http://127.0.0.1:${httpPort}/x?y`, { redirect: "manual" });
        expect(redirect.status).toBe(302);
        expect(redirect.headers.get("location")).toBe("https://127.0.0.1/x?y");
        first.signal("SIGTERM");
        expect(await first.exited).toBe(0);

        await pebble[Symbol.asyncDispose]();
        const again = stage.use(
          await BrokerProcess.start(...args.filter((arg) => !arg.startsWith("--acme-ca="))),
        );
        expect(await servedSerial(Number(new URL(again.url).port), trust)).toBe(serial);
        expect(again.log).toInclude("the certificate that was kept is used");
      },
      TIMEOUT,
    );

    /** A broker whose authority is nowhere, and what it logs. */
    function startLost(cache: string): ChildProcess {
      const child = new ChildProcess([
        ...brokerCommand("--acme-hostnames=a.example", `--acme-cert-cache=${cache}`),
        ...["--acme-http-addr=127.0.0.1:0", `--acme-directory=https://127.0.0.1:1/`],
      ]);
      return stage.use(child);
    }

    test("stays, and tries again, where the authority can't be reached", async () => {
      const broker = startLost(join(directory, "cache"));
      const [line] = await broker.line(/.* ERROR .*/);
      expect(line).toInclude("no certificate for a.example: no answer from ");
      expect(line).toEndWith('meanwhile="nobody can connect"');
    });

    test("works without a cache, with a warning", async () => {
      const file = join(directory, "file");
      await Bun.write(file, "");
      const broker = startLost(file);
      await broker.line(/WARN no certificate is kept: the directory of --acme-cert-cache can't be/);
      await broker.line(/ERROR no certificate for a\.example/);
    });

    test("does not start without the port that the authority comes to", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      stage.defer(() => void server.close());
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      const { stderr, exitCode } = await runBroker(
        "--acme-hostnames=a.example",
        "--disable-geoip",
        `--acme-cert-cache=${join(directory, "cache")}`,
        `--acme-http-addr=127.0.0.1:${address.port}`,
      );
      expect(stderr).toInclude(`ERROR cannot listen on --acme-http-addr: `);
      expect(stderr.trimEnd().split("\n")).toHaveLength(2);
      expect(exitCode).toBe(1);
    });

    test("does not start with root certificates that are none", async () => {
      const file = join(directory, "ca.pem");
      const start = () =>
        runBroker(
          "--acme-hostnames=a.example",
          "--acme-http-addr=127.0.0.1:0",
          `--acme-ca=${file}`,
        );
      expect(await start()).toMatchObject({
        stderr: expect.stringContaining(`ERROR --acme-ca ${file}: there is no such file\n`),
        exitCode: 1,
      });
      await Bun.write(file, "text");
      expect(await start()).toMatchObject({
        stderr: expect.stringContaining(`ERROR --acme-ca ${file}: it is no PEM file`),
        exitCode: 1,
      });
    });
  },
);
