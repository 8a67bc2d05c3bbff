/** HTTP/2 and TLS as programs speak them that have nothing to do with the runtime. */

import { afterEach, beforeEach, expect, test } from "bun:test";

import { type Broker, proxyWaiting, startBroker } from "./broker-process.ts";
import { describeWithPeers, TEST_TIMEOUT } from "./peers.ts";
import { createTestCa, type TestCa } from "./test-ca.ts";

const RELAY = "ws://127.0.0.1:1/";
const OFFER = '{"type":"offer","sdp":"of a client"}';
const ANSWER = '{"type":"answer","sdp":"a=candidate of a proxy"}';
const POLL = '{"Sid":"s","Version":"1.3","NAT":"open","AcceptedRelayPattern":"$"}';

/** What curl says: the exit code is 35 if there was no handshake, and the error then names the server's alert. */
interface Fetched {
  readonly error: string;
  readonly exitCode: number;
  readonly body: string;
  readonly httpVersion: string;
  readonly status: number;
}

/** Requests that h2load made, as it sums them up. */
interface Load {
  readonly protocol: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly errored: number;
  readonly timedOut: number;
  /** By the first digit of the status. */
  readonly statuses: readonly [ok: number, moved: number, refused: number, broken: number];
}

const REQUESTS =
  /^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m;
const STATUSES = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m;

describeWithPeers("http2", ["curl", "h2load", "openssl"], () => {
  let stage: AsyncDisposableStack;
  let ca: TestCa;
  let broker: Broker;
  beforeEach(async () => {
    stage = new AsyncDisposableStack();
    ca = stage.use(createTestCa());
    broker = stage.use(await startBroker(RELAY, { ca }));
  });
  afterEach(() => stage.disposeAsync());

  /** Makes a request, with a body that is not empty as a POST. */
  async function curl(path: string, body: string, ...flags: readonly string[]): Promise<Fetched> {
    const child = Bun.spawn(
      [
        ...[
          "curl",
          "--silent",
          "--show-error",
          "--cacert",
          ca.authorityFile,
          "--max-time",
          "15",
          ...flags,
        ],
        ...["--write-out", "\n%{http_version} %{response_code}"],
        ...(body === "" ? [] : ["--data-binary", "@-"]),
        new URL(path, broker.url).href,
      ],
      { stdin: Buffer.from(body), stdout: "pipe", stderr: "pipe" },
    );
    const [text, error, exitCode] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    const [, received = "", httpVersion = "", status] = /^([^]*)\n([\d.]+) (\d+)$/.exec(text) ?? [];
    return { error, exitCode, body: received, httpVersion, status: Number(status) };
  }

  async function h2load(path: string, body: string, ...flags: readonly string[]): Promise<Load> {
    const load = Bun.spawn(
      [
        ...["h2load", ...flags, ...(body === "" ? [] : ["--data", "/dev/stdin"])],
        new URL(path, broker.url).href,
      ],
      { stdin: Buffer.from(body), stdout: "pipe" },
    );
    const [text] = await Promise.all([load.stdout.text(), load.exited]);
    const protocol = /^Application protocol: (.*)$/m.exec(text)?.[1] ?? "none";
    const [succeeded, failed, errored, timedOut] = numbers(REQUESTS, text);
    return { protocol, succeeded, failed, errored, timedOut, statuses: numbers(STATUSES, text) };
  }

  test.each([
    ["--http2", "2"],
    ["--http1.1", "1.1"],
  ])(
    "curl %s makes a match",
    async (flag, httpVersion) => {
      const polled = curl("proxy", POLL, flag);
      await proxyWaiting(broker.url, ca);
      const offered = curl("client", `1.0\n${JSON.stringify({ offer: OFFER })}`, flag);
      const poll = await polled;
      expect(poll).toMatchObject({ exitCode: 0, httpVersion, status: 200 });
      expect(JSON.parse(poll.body)).toMatchObject({ Status: "client match", Offer: OFFER });
      const message = JSON.stringify({ Version: "1.3", Sid: "s", Answer: ANSWER });
      const answered = await curl("answer", message, flag);
      expect(answered).toMatchObject({ exitCode: 0, httpVersion, body: '{"Status":"success"}' });
      const offer = await offered;
      expect(offer).toMatchObject({ exitCode: 0, httpVersion, status: 200 });
      expect(JSON.parse(offer.body)).toEqual({ answer: ANSWER });
    },
    TEST_TIMEOUT,
  );

  test("curl gets TLS 1.2 and 1.3, and nothing older", async () => {
    // OpenSSL offers the old versions at security level 0 only.
    const old = ["--ciphers", "DEFAULT@SECLEVEL=0"];
    for (const version of ["1.0", "1.1"]) {
      const fetched = await curl("robots.txt", "", ...old, "--tlsv1.0", "--tls-max", version);
      expect(fetched).toMatchObject({ exitCode: 35, status: 0 });
      expect(fetched.error).toInclude("alert protocol version");
    }
    expect(await curl("robots.txt", "", "--tls-max", "1.2")).toMatchObject({ status: 200 });
    expect(await curl("robots.txt", "", "--tlsv1.3")).toMatchObject({ status: 200 });
  });

  test("a plain request to the TLS port gets no response", async () => {
    const url = broker.url.replace("https:", "http:");
    const fetched = await curl(`${url}robots.txt`, "");
    expect(fetched).toMatchObject({ body: "", status: 0 });
    expect(fetched.exitCode).not.toBe(0);
    expect(await curl("robots.txt", "")).toMatchObject({ status: 200 });
  });

  test("h2load's requests are all answered, 100 at once on each of 10 connections", async () => {
    expect(await h2load("robots.txt", "", "-n5000", "-c10", "-m100")).toEqual(allOk(5_000));
  });

  test("h2load's messages that say nothing all get their error", async () => {
    expect(await h2load("client", "1.0\n{", "-n5000", "-c10", "-m100")).toEqual(allOk(5_000));
    const refused = await h2load("proxy", "{", "-n5000", "-c10", "-m100");
    expect(refused).toMatchObject({ errored: 0, timedOut: 0, statuses: [0, 0, 5_000, 0] });
  });

  test(
    "h2load's polls wait, all streams of 4 connections in use, and are all answered",
    async () => {
      // More streams than the server lets a connection have: the rest wait for their turn.
      const polls = h2load("proxy", POLL, "-n1100", "-c4", "-m300");
      await proxyWaiting(broker.url, ca);
      expect(await curl("robots.txt", "")).toMatchObject({ status: 200 });
      expect(await polls).toEqual(allOk(1_100));
    },
    2 * TEST_TIMEOUT,
  );
});

function allOk(requests: number): Load {
  const none = { failed: 0, errored: 0, timedOut: 0 };
  return { protocol: "h2", succeeded: requests, ...none, statuses: [requests, 0, 0, 0] };
}

/** The four numbers of a line. */
function numbers(line: RegExp, text: string): [number, number, number, number] {
  const [, a, b, c, d] = line.exec(text) ?? [];
  return [Number(a), Number(b), Number(c), Number(d)];
}
