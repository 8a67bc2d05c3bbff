import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { HttpPort } from "../../../src/frontend/http/http-port.ts";
import type { TlsFiles } from "../../../src/tls/certificate.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../../interop/temporary-directory.ts";
import { untilHolds } from "../../kit/broker-process.ts";
import { openPort } from "../../kit/http-frontend.ts";
import { saying } from "../../kit/requests.ts";
import { makeTlsFiles } from "../../tls/made-certificate.ts";
import { describeWithPrograms } from "../../tls/programs.ts";
import { fetchH3, postH3, postH3Alone, udpSockets } from "./h3-client.ts";

/** A certificate's names, such that clients may come by address. */
const NAMES = ["a.example,IP:127.0.0.1"];

describeWithPrograms("HTTP/3 whose certificate changes", ["openssl"], () => {
  let first: TlsFiles;
  let second: TlsFiles;
  let directory: TemporaryDirectory;
  let server: HttpPort;
  let url: string;
  let port: number;
  /** What `/wait` is answered with, when the test wants. */
  let answer: PromiseWithResolvers<string>;
  let waiting: number;
  let lost: unknown[];
  let bugs: readonly unknown[];

  beforeAll(() => {
    first = makeTlsFiles(NAMES);
    second = makeTlsFiles(NAMES);
  });

  beforeEach(() => {
    directory = temporaryDirectory();
    writeFileSync(caFile("first"), first.cert);
    writeFileSync(caFile("second"), second.cert);
    answer = Promise.withResolvers();
    waiting = 0;
    lost = [];
    const opened = openPort(
      (request, exchange) => {
        if (!request.target.endsWith("/wait")) return saying("here")(request, exchange);
        waiting++;
        void answer.promise.then((text) => saying(text)(request, exchange));
      },
      { tls: first, http3: { lost: (error) => lost.push(error) } },
    );
    ({ server, port, url, bugs } = opened);
  });

  afterEach(async () => {
    answer.resolve("");
    await server.stop();
    directory[Symbol.dispose]();
    expect(bugs).toEqual([]);
  });

  function caFile(which: "first" | "second"): string {
    return join(directory.path, which);
  }

  /** Whether a new connection is answered under this certificate and no other. */
  async function isServedWith(which: "first" | "second"): Promise<boolean> {
    return (await postH3Alone(url, { caFile: caFile(which) })).text === "here";
  }

  /** What a response over TCP, on a new connection, says of HTTP/3. */
  async function advertised(): Promise<string | null> {
    const tls = { rejectUnauthorized: false };
    const response = await fetch(url, { tls, keepalive: false });
    expect(await response.text()).toBe("here");
    return response.headers.get("alt-svc");
  }

  test("what waits is answered, then new connections get the new certificate", async () => {
    // These go without a word.
    const gone = await Promise.all(Array.from({ length: 6 }, () => isServedWith("first")));
    expect(gone).not.toContain(false);
    expect(await isServedWith("second")).toBe(false);
    const waits = postH3(`${url}wait`, "");
    await untilHolds("one waits", async () => waiting === 1);
    server.replaceCertificate(second);
    // Whoever comes meanwhile tries until it is answered.
    const comesEarly = postH3Alone(url, { caFile: caFile("second") });
    // Nobody is sent where nobody is taken.
    for (let i = 0; i < 5; i++) expect(await advertised()).toBeNull();
    answer.resolve("at last");
    expect(await waits).toBe("at last");
    expect((await comesEarly).text).toBe("here");
    expect(await isServedWith("second")).toBe(true);
    expect(await isServedWith("first")).toBe(false);
    await untilHolds("advertised", async () => (await advertised()) === `h3=":${port}"; ma=86400`);
    expect(lost).toEqual([]);
  });

  test("several changes end with the last", async () => {
    for (const tls of [second, first, second]) server.replaceCertificate(tls);
    await untilHolds("the second", async () => isServedWith("second"));
    await untilHolds("advertised", async () => (await advertised()) !== null);
    expect(await isServedWith("second")).toBe(true);
    expect(lost).toEqual([]);
  });

  test("a certificate that can't be used changes nothing", async () => {
    const broken = { cert: first.cert, key: second.key };
    expect(() => server.replaceCertificate(broken)).toThrow("KEY_VALUES_MISMATCH");
    expect(await isServedWith("first")).toBe(true);
    expect(await advertised()).not.toBeNull();
  });

  test("a server that is stopped while it changes does not come back", async () => {
    const waits = fetchH3(`${url}wait`).then((response) => response.text());
    await untilHolds("one waits", async () => waiting === 1);
    server.replaceCertificate(second);
    const stopped = server.stop();
    answer.resolve("at last");
    expect(await waits).toBe("at last");
    await stopped;
    expect(udpSockets(port)).toHaveLength(0);
    expect(lost).toEqual([]);
  });

  test("a port that somebody else takes meanwhile is told, and had again at the next change", async () => {
    let thief: Bun.udp.Socket<"buffer"> | undefined;
    // The server is not in a hurry to have it again, but it may not have given it up earlier either.
    for (let round = 1; thief === undefined; round++) {
      const waits = postH3(`${url}wait`, "");
      await untilHolds("one waits", async () => waiting === round);
      server.replaceCertificate(second);
      const taking = takeUdpPort(port, 2_000);
      answer.resolve("at last");
      expect(await waits).toBe("at last");
      thief = await taking;
      answer = Promise.withResolvers();
    }
    await untilHolds("told", async () => lost.length === 1);
    expect(String(lost[0])).toContain(`UDP port ${port} is in use by process ${process.pid} (`);
    expect(await advertised()).toBeNull();
    thief.close();
    server.replaceCertificate(second);
    await untilHolds("the second", async () => isServedWith("second"));
  });
});

/** Takes it as soon as it is free, if that is within so many milliseconds. */
async function takeUdpPort(port: number, timeout: number) {
  for (const end = performance.now() + timeout; performance.now() < end;) {
    try {
      return await Bun.udpSocket({ hostname: "127.0.0.1", port });
    } catch {
      await Bun.sleep(0);
    }
  }
  return undefined;
}
