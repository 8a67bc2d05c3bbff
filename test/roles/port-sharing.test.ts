import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { type TemporaryDirectory, temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, runBroker } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { makeTlsFiles } from "../tls/made-certificate.ts";
import { describeWithPrograms } from "../tls/programs.ts";

/** Starts of several brokers at once: enough for the checks of some to overlap. */
const ROUNDS = 5;

let stage: AsyncDisposableStack;
let files: TemporaryDirectory;

beforeEach(() => {
  stage = new AsyncDisposableStack();
  files = stage.use(temporaryDirectory());
});
afterEach(() => stage.disposeAsync());

const at = (name: string) => join(files.path, name);

function frontend(socket: string, addr: string, ...more: string[]): string[] {
  return ["http-frontend", `--socket=${at(socket)}`, `--addr=${addr}`, "--share-port", ...more];
}

async function start(args: readonly string[]): Promise<BrokerProcess> {
  return stage.use(await BrokerProcess.startRole(...args));
}

/** The start fails, and names the process that has the port. */
async function refused(args: readonly string[], port: number, holder: BrokerProcess) {
  const { stderr, exitCode } = await runBroker(...args);
  expect(stderr).toContain(`ort ${port} is in use by process ${holder.pid} (bun`);
  expect(exitCode).toBe(1);
}

/** Milliseconds for a test that starts dozens of brokers. */
const SLOW = 120_000;

/** Starts all at once, and expects that one of them is up and the others say that the port is in use. */
async function expectOneOf(commands: readonly (readonly string[])[], port: number): Promise<void> {
  const started = await Promise.allSettled(commands.map((args) => start(args)));
  const errors = started.flatMap((it) => (it.status === "rejected" ? [String(it.reason)] : []));
  for (const error of errors) expect(error).toContain(`port ${port} is in use`);
  expect(errors).toHaveLength(commands.length - 1);
  await stage.disposeAsync();
  stage = new AsyncDisposableStack();
  files = stage.use(temporaryDirectory());
}

describe("a port that http-frontends share", () => {
  const plain = (socket: string, addr: string) => frontend(socket, addr, "--disable-tls");

  test("is for those of one core, however its path is written", async () => {
    const addr = `127.0.0.1:${freePort()}`;
    await start(plain("a.sock", addr));
    await start(plain("a.sock", addr));
    symlinkSync(files.path, at("link"));
    await start(plain(join("link", "a.sock"), addr));
    const fromHere = relative(process.cwd(), at("a.sock"));
    await start(["http-frontend", `-socket=${fromHere}`, ...plain("", addr).slice(2)]);
  });

  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1", ""],
    ["", "127.0.0.1"],
    ["", "0.0.0.0"],
    ["[::1]", ""],
    ["", "[0:0:0:0:0:0:0:1]"],
    ["[::1]", "[0:0::1]"],
    ["127.0.0.1", "localhost"],
  ])("is not for those of another: %p, then %p", async (first, second) => {
    const port = freePort();
    const holder = await start(plain("a.sock", `${first}:${port}`));
    await refused(plain("b.sock", `${second}:${port}`), port, holder);
  });

  test("is another one on another address", async () => {
    const port = freePort();
    await start(plain("a.sock", `127.0.0.1:${port}`));
    await start(plain("b.sock", `127.0.0.2:${port}`));
    await start(plain("c.sock", `[::1]:${port}`));
  });

  test("is not for one whose holder does not share it, which is named", async () => {
    const port = freePort();
    const addr = `--addr=127.0.0.1:${port}`;
    const holder = await start([addr, "--disable-tls", "--disable-geoip"]);
    await refused(plain("a.sock", `127.0.0.1:${port}`), port, holder);
    await refused([addr, "--disable-tls", "--disable-geoip"], port, holder);
  });

  test("can be had again at once after kill -9 of all that shared it", async () => {
    const addr = `127.0.0.1:${freePort()}`;
    const killed = [await start(plain("a.sock", addr)), await start(plain("a.sock", addr))];
    for (const one of killed) one.signal("SIGKILL");
    for (const one of killed) await one.exited;
    await start(plain("b.sock", addr));
  });

  test(
    "goes to one of the cores whose http-frontends start together",
    async () => {
      for (let i = 0; i < ROUNDS; i++) {
        const port = freePort();
        const hosts = ["127.0.0.1", "", "127.0.0.1"];
        await expectOneOf(
          hosts.map((host, n) => plain(`${n}.sock`, `${host}:${port}`)),
          port,
        );
      }
    },
    SLOW,
  );
});

describeWithPrograms("a port with a certificate that may change", ["openssl"], () => {
  beforeEach(() => {
    const { cert, key } = makeTlsFiles(["a.example"]);
    writeFileSync(at("cert.pem"), cert);
    writeFileSync(at("key.pem"), key);
  });

  const withTls = () => [`--cert=${at("cert.pem")}`, `--key=${at("key.pem")}`, "--http3"];

  function allInOne(addr: string): string[] {
    return [`--addr=${addr}`, "--disable-geoip", "--trusted-hops=0", ...withTls()];
  }

  test("is for one broker", async () => {
    const port = freePort();
    const holder = await start(allInOne(`127.0.0.1:${port}`));
    await refused(allInOne(`127.0.0.1:${port}`), port, holder);
    await refused(allInOne(`:${port}`), port, holder);
    await refused(frontend("a.sock", `:${port}`, ...withTls()), port, holder);
  });

  test("is for the http-frontends of one core, over UDP as well", async () => {
    const port = freePort();
    const mates = () => frontend("a.sock", `127.0.0.1:${port}`, ...withTls());
    const holder = await start(mates());
    const second = await start(mates());
    await second.logged("HTTP/3");
    await refused(allInOne(`127.0.0.1:${port}`), port, holder);
  });

  test("is refused if a stranger has the UDP port, shared or not", async () => {
    for (const isShared of [true, false]) {
      const port = freePort();
      const holder = Bun.serve({
        hostname: "127.0.0.1",
        port,
        reusePort: isShared,
        tls: makeTlsFiles(["a.example"]),
        http1: false,
        http3: true,
        fetch: () => new Response(""),
      });
      stage.defer(() => holder.stop(true));
      for (const args of [
        allInOne(`127.0.0.1:${port}`),
        frontend("a.sock", `127.0.0.1:${port}`, ...withTls()),
      ]) {
        const { stderr, exitCode } = await runBroker(...args);
        expect(stderr).toContain(`UDP port ${port} is in use by process ${process.pid} (`);
        expect(exitCode).toBe(1);
      }
    }
  });

  test(
    "goes to one of the brokers that start together",
    async () => {
      const { cert, key } = makeTlsFiles(["a.example"]);
      for (let i = 0; i < ROUNDS; i++) {
        writeFileSync(at("cert.pem"), cert);
        writeFileSync(at("key.pem"), key);
        const port = freePort();
        const command = allInOne(`127.0.0.1:${port}`);
        await expectOneOf([command, command, command], port);
      }
    },
    SLOW,
  );
});
