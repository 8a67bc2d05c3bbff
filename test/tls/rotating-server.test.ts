import { afterEach, beforeEach, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type SecureVersion } from "node:tls";

import type { HttpPort } from "../../src/frontend/http/http-port.ts";
import { openPort } from "../kit/http-frontend.ts";
import { saying } from "../kit/requests.ts";
import { makeCertificate, makeTlsFiles } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";
import { servedSerial } from "./served-serial.ts";
import { TlsConnection } from "./tls-connection.ts";

describeWithPrograms("a server whose certificate changes", ["openssl"], () => {
  const first = makeCertificate(["a.example"]);
  const second = makeCertificate(["a.example"]);

  let stage: AsyncDisposableStack;
  let server: HttpPort;
  let port: number;
  /** What `/wait` is answered with, when the test wants. */
  let answer: PromiseWithResolvers<string>;
  let waiting: number;

  beforeEach(() => {
    stage = new AsyncDisposableStack();
    answer = Promise.withResolvers();
    waiting = 0;
    server = start(0);
    port = server.port;
  });
  afterEach(() => stage.disposeAsync());

  function start(onPort: number): HttpPort {
    const { server: started } = openPort(
      (request, exchange) => {
        if (!request.target.endsWith("/wait")) return saying("here")(request, exchange);
        waiting++;
        void answer.promise.then((text) => saying(text)(request, exchange));
      },
      { port: onPort, tls: first.tls },
    );
    stage.defer(() => started.stop());
    return started;
  }

  /** Resolves when the condition holds; it is looked at again and again. */
  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await Bun.sleep(5);
  }

  /** Only the new server takes connections. One that the old one has not taken when it stops may be reset. */
  const handedOver = () =>
    until(async () => {
      const asked = Array.from({ length: 20 }, () => servedSerial(port).catch(() => "reset"));
      return (await Promise.all(asked)).every((serial) => serial === second.serialNumber);
    });

  test("serves the first, then the next, on the same port and URL", async () => {
    const { url } = server;
    expect(url).toBe(`https://localhost:${port}/`);
    expect(await servedSerial(port)).toBe(first.serialNumber);
    server.replaceCertificate(second.tls);
    expect(server.url).toBe(url);
    await handedOver();
  });

  /** What is agreed on with a client that offers just this. */
  async function agreed(version: SecureVersion, protocol: string): Promise<string> {
    const versions = { minVersion: version, maxVersion: version };
    const host = { host: "127.0.0.1", port, rejectUnauthorized: false };
    const socket = connect({ ...host, ...versions, ALPNProtocols: [protocol] });
    try {
      await once(socket, "secureConnect");
      return `${socket.getProtocol()}, ${socket.alpnProtocol}`;
    } catch {
      return "refused";
    } finally {
      socket.destroy();
    }
  }

  test.each([
    ["TLSv1.3", "h2", "TLSv1.3, h2"],
    ["TLSv1.2", "h2", "TLSv1.2, h2"],
    ["TLSv1.3", "http/1.1", "TLSv1.3, http/1.1"],
    ["TLSv1.1", "h2", "refused"],
  ] as const)("with %s and %s the same is agreed on", async (version, protocol, expected) => {
    expect(await agreed(version, protocol)).toBe(expected);
    for (const tls of [second.tls, first.tls, second.tls]) server.replaceCertificate(tls);
    await handedOver();
    expect(await agreed(version, protocol)).toBe(expected);
  });

  test("a request that waits is answered on its connection", async () => {
    const connection = await TlsConnection.open(port);
    const waits = connection.request("/wait");
    await until(() => waiting === 1);
    server.replaceCertificate(second.tls);
    await handedOver();
    answer.resolve("at last");
    expect(await waits).toEqual({ status: 200, body: "at last", isLast: false });
  });

  test("who has a connection keeps it", async () => {
    const connection = await TlsConnection.open(port);
    expect((await connection.request("/")).isLast).toBe(false);
    server.replaceCertificate(second.tls);
    await handedOver();
    expect(await connection.request("/")).toEqual({ status: 200, body: "here", isLast: false });
    expect((await (await TlsConnection.open(port)).request("/")).isLast).toBe(false);
  });

  test("a certificate that can't be used leaves the old one", async () => {
    const broken = { cert: first.tls.cert, key: second.tls.key };
    expect(() => server.replaceCertificate(broken)).toThrow("KEY_VALUES_MISMATCH");
    const connection = await TlsConnection.open(port);
    expect((await connection.request("/")).isLast).toBe(false);
    expect(await servedSerial(port)).toBe(first.serialNumber);
  });

  test("changes that follow each other at once end with the last", async () => {
    const others = [makeTlsFiles(["a.example"]), makeTlsFiles(["a.example"]), second.tls];
    for (const tls of others) server.replaceCertificate(tls);
    await handedOver();
  });

  test("the port is its own: nobody else gets it, and it gets nobody else's", async () => {
    expect(() => start(port)).toThrow(`port ${port} is in use`);
    const other = openPort(saying(""));
    stage.use(other);
    expect(() => start(other.port)).toThrow(`port ${other.port} is in use`);
    expect(() => openPort(saying(""), { port })).toThrow();
  });

  test("stopping stops the old server, too", async () => {
    const connection = await TlsConnection.open(port);
    const waits = connection.request("/wait");
    await until(() => waiting === 1);
    server.replaceCertificate(second.tls);
    const stopped = server.stop();
    answer.resolve("at last");
    expect((await waits).body).toBe("at last");
    await stopped;
    const refused = await TlsConnection.open(port).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
  });

  test("a server that asks everybody to leave goes on asking after a change", async () => {
    await server.retire(0);
    server.replaceCertificate(second.tls);
    await handedOver();
    expect((await (await TlsConnection.open(port)).request("/")).isLast).toBe(true);
  });
});
