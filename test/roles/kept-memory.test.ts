/**
 * What peers that wait cost in memory, whatever they send: measured in the processes that operators run, over HTTP. The
 * decoders alone are measured in test/messages/kept-memory.test.ts.
 */

import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HttpConnection } from "../../bench/http-connection.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";

const POLLS = 2_000;
const OFFERS = 500;

/** Requests that are sent between two turns of the event loop. */
const IN_PARALLEL = 50;

/** What a waiting peer may hold more than one that sent nothing unusual, in bytes. */
const MOST_MORE = 2_048;

const PADDING = "x".repeat(95_000);
const LONG_ID = "s".repeat(240);

function poll(sid: string, ignored = ""): string {
  return `{"Sid":"${sid}","Version":"1.3","Type":"standalone","NAT":"open","AcceptedRelayPattern":"snowflake.torproject.net$","Ignored":"${ignored}"}`;
}

function offer(n: number, ignored = ""): string {
  const description = JSON.stringify({ type: "offer", sdp: `v=${n}` });
  return `1.0\n${JSON.stringify({ offer: description, ignored })}`;
}

/** Bytes that each waiting peer takes, by process. */
type BytesEach = readonly number[];

/** A broker of one process, or of several; peers come to the last. */
class MeasuredBroker implements AsyncDisposable {
  readonly #processes: readonly BrokerProcess[];
  readonly #url: string;
  readonly #port: number;
  #peers = 0;

  constructor(...processes: readonly BrokerProcess[]) {
    this.#processes = processes;
    this.#url = processes.at(-1)?.url ?? "";
    this.#port = Number(new URL(this.#url).port);
  }

  async bytesEachPoll(bodyOf: (n: number) => string): Promise<BytesEach> {
    await this.#shows("debug", "available: 0\n");
    const before = await this.#memory();
    using _ = await this.#wait(POLLS, bodyOf);
    return bytesEach(before, await this.#memory(), POLLS);
  }

  async bytesEachOffer(bodyOf: (n: number) => string): Promise<BytesEach> {
    await this.#shows("debug", "available: 0\n");
    using peers = new DisposableStack();
    peers.use(await this.#wait(OFFERS, (n) => poll(`proxy${n}`)));
    const before = await this.#memory();
    peers.use(await this.#post(OFFERS, "/client", bodyOf));
    await this.#shows("prometheus", `snowflake_matches_in_flight ${OFFERS}\n`);
    return bytesEach(before, await this.#memory(), OFFERS);
  }

  /** Lets so many proxies wait, until they are disposed of. */
  async #wait(count: number, bodyOf: (n: number) => string): Promise<Disposable> {
    const proxies = await this.#post(count, "/proxy", bodyOf);
    await this.#shows("debug", `available: ${count}\n`);
    return proxies;
  }

  /** Sends so many requests, each from an address of its own, and hangs up when they are disposed of. */
  async #post(count: number, path: string, bodyOf: (n: number) => string): Promise<Disposable> {
    const stack = new DisposableStack();
    for (let n = 0; n < count; n++) {
      const connection = new HttpConnection(this.#port);
      stack.defer(() => connection.close());
      this.#peers++;
      const address = `2001:db8:${(this.#peers >> 8).toString(16)}:${(this.#peers & 255).toString(16)}::1`;
      // It ends when the test hangs up; whether it came is seen at the broker.
      connection.post(path, bodyOf(n), address).catch(() => {});
      // So that no more than some are on their way.
      if (n % IN_PARALLEL === 0) await Bun.sleep(1);
    }
    return stack;
  }

  async #shows(page: string, text: string): Promise<void> {
    await untilHolds(`a page with ${text}`, async () => {
      const response = await fetch(`${this.#url}${page}`);
      return (await response.text()).includes(text);
    });
  }

  #memory(): Promise<number[]> {
    return Promise.all(this.#processes.map((process) => process.heldMemory()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process[Symbol.asyncDispose]();
  }
}

function bytesEach(before: readonly number[], after: readonly number[], count: number): BytesEach {
  return after.map((bytes, i) => (bytes - (before[i] ?? 0)) / count);
}

function expectNoMore(unusual: BytesEach, plain: BytesEach): void {
  for (const [i, bytes] of unusual.entries()) {
    expect(bytes - (plain[i] ?? 0)).toBeLessThan(MOST_MORE);
  }
}

const HTTP = ["--disable-tls", "--addr=127.0.0.1:0"];

async function oneProcess(): Promise<MeasuredBroker> {
  return new MeasuredBroker(await BrokerProcess.startMeasured(...HTTP, "--disable-geoip"));
}

async function coreAndFrontend(): Promise<MeasuredBroker> {
  const socket = join(mkdtempSync(join(tmpdir(), "snowflake-broker-")), "core.sock");
  return new MeasuredBroker(
    await BrokerProcess.startMeasured("core", `--socket=${socket}`, "--disable-geoip"),
    await BrokerProcess.startMeasured("http-frontend", `--socket=${socket}`, ...HTTP),
  );
}

test.each([
  ["one process", oneProcess],
  ["a core and a frontend", coreAndFrontend],
] as const)("%s keeps nothing but what a waiting peer needs", async (_, start) => {
  await using broker = await start();
  // The first peers cost more: the runtime compiles what they need.
  await broker.bytesEachPoll((n) => poll(`session${n}`));
  await broker.bytesEachOffer((n) => offer(n));
  const plain = await broker.bytesEachPoll((n) => poll(`session${n}`));
  expectNoMore(await broker.bytesEachPoll((n) => poll(`session${n}`, PADDING)), plain);
  expectNoMore(await broker.bytesEachPoll((n) => poll(`${LONG_ID}${n}`)), plain);

  const plainOffer = await broker.bytesEachOffer((n) => offer(n));
  expectNoMore(await broker.bytesEachOffer((n) => offer(n, PADDING)), plainOffer);
});
