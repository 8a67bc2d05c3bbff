import { describe, expect, test } from "bun:test";

import type { OfferOutcome } from "../../../src/broker/broker.ts";
import { ANSWER_CALL, OFFER_CALL, POLL_CALL } from "../../../src/link/socket/broker-calls.ts";
import { TEXT } from "../../../src/link/socket/codec.ts";
import { FRAME_KIND, FrameReader, PROTOCOL_VERSION } from "../../../src/link/socket/frame.ts";
import { HELLO } from "../../../src/link/socket/hello.ts";
import { settle } from "../../kit/test-broker.ts";
import { SocketDirectory, TestFrontend, until } from "./linked.ts";
import { frameBytes } from "./raw-peer.ts";

/** Something on the socket that is no core, or one that has lost its mind: it says what a test tells it to. */
class FalseCore implements Disposable {
  /** The kinds of the frames that came, in order. */
  readonly kinds: number[] = [];
  closed = 0;
  readonly #listener: Bun.UnixSocketListener<FrameReader>;
  #last: Bun.Socket<FrameReader> | undefined;

  /** `hangsUp`: at once, when it has said its greeting. */
  constructor(path: string, greeting: Uint8Array, hangsUp = false) {
    this.#listener = Bun.listen<FrameReader>({
      unix: path,
      socket: {
        open: (socket) => {
          socket.data = new FrameReader((kind) => {
            this.kinds.push(kind);
            return true;
          });
          this.#last = socket;
          socket.write(greeting);
          if (hangsUp) socket.end();
        },
        data: (socket, chunk) => void socket.data.push(chunk),
        close: () => {
          this.closed++;
        },
      },
    });
  }

  say(bytes: Uint8Array): void {
    this.#last?.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

const CORE_HELLO = frameBytes(FRAME_KIND.hello, 0, HELLO, {
  version: PROTOCOL_VERSION,
  role: "core",
});

describe("when a core falls silent", () => {
  test("every call has an outcome all the same, and the core is told to forget it", async () => {
    using directory = new SocketDirectory();
    using silent = new FalseCore(directory.path, CORE_HELLO);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    const offer = frontend.offer("o");
    const answer = frontend.answer("p", "a");
    const counts = frontend.broker.sessions();
    const page = frontend.broker.page("page");
    frontend.clock.advance(5_999);
    await until(() => silent.kinds.length === 6);
    expect(offer.outcome).toBeUndefined();
    frontend.clock.advance(1);
    expect(await answer).toBe("client-gone");
    expect(await counts).toMatchObject({ total: 0 });
    expect(await page).toEqual({ kind: "unavailable" });
    expect(offer.outcome).toEqual({ kind: "timed-out" });
    // A core may let a poll wait for 28 s.
    frontend.clock.advance(22_999);
    expect(poll.outcome).toBeUndefined();
    frontend.clock.advance(1);
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
    await until(() => silent.kinds.length === 11);
    expect(silent.kinds.slice(6)).toEqual(Array(5).fill(FRAME_KIND.cancel));
    expect(frontend.broker.connected).toBe(true);
  });

  test("a poll that waited for it has its outcome within the 30 s that proxies wait", async () => {
    using directory = new SocketDirectory();
    using frontend = new TestFrontend(directory.path);
    const poll = frontend.poll("p");
    frontend.clock.advance(9_000);
    using silent = new FalseCore(directory.path, CORE_HELLO);
    await frontend.connected();
    await until(() => silent.kinds.length === 2);
    frontend.clock.advance(28_999 - frontend.clock.now());
    await settle();
    expect(poll.outcome).toBeUndefined();
    frontend.clock.advance(1);
    await settle();
    expect(poll.outcome?.kind).toBe("idle");
  });

  test("a poll whose proxy hung up is over when the core goes", async () => {
    using directory = new SocketDirectory();
    const silent = new FalseCore(directory.path, CORE_HELLO);
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    poll.hangUp();
    await until(() => silent.kinds.includes(FRAME_KIND.cancel));
    expect(poll.outcome).toBeUndefined();
    silent[Symbol.dispose]();
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 20_000 });
  });

  test("before it has said hello, another attempt is made", async () => {
    using directory = new SocketDirectory();
    using silent = new FalseCore(directory.path, new Uint8Array());
    using frontend = new TestFrontend(directory.path);
    await until(() => silent.kinds.length === 1);
    expect(frontend.broker.connected).toBe(false);
    frontend.clock.advance(5_000);
    await until(() => silent.closed === 1);
    await until(() => {
      frontend.clock.advance(10);
      return silent.kinds.length === 2;
    });
    expect(frontend.reports).toEqual(["the connection to the core is lost: it sent no hello"]);
  });
});

const SENSELESS = "the connection to the core is lost: it sent what is no frame";

describe("attempts to reconnect", () => {
  test("come less and less often when connections are lost as soon as they are made", async () => {
    using directory = new SocketDirectory();
    using core = new FalseCore(directory.path, CORE_HELLO, true);
    using frontend = new TestFrontend(directory.path);
    await until(() => {
      frontend.clock.advance(10);
      return frontend.clock.now() >= 10_000;
    });
    // Half a second lies between two of them in the end.
    expect(core.closed).toBeWithin(5, 30);
  });

  test("end when the frontend closes, whatever they have come to", async () => {
    using directory = new SocketDirectory();
    using core = new FalseCore(directory.path, CORE_HELLO);
    const connecting = new TestFrontend(directory.path);
    connecting.broker.close();
    await until(() => core.closed === 1);
    const waiting = new TestFrontend(`${directory.path}.none`);
    await until(() => waiting.reports.length > 0);
    waiting.broker.close();
    expect(waiting.clock.timers).toBe(0);
  });
});

describe("a core that makes no sense is left, and tried again", () => {
  const outcome = frameBytes(POLL_CALL.kind, 1, POLL_CALL.outcome, { kind: "idle", nextPoll: 1 });
  test.each([
    ["a hello of another version", frameBytes(0, 0, HELLO, { version: 1, role: "core" })],
    ["a hello of a frontend", frameBytes(0, 0, HELLO, { version: 3, role: "http-frontend" })],
    ["no hello at all", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["an outcome before its hello", Buffer.concat([outcome, CORE_HELLO])],
  ])("if it sends %s", async (_, greeting) => {
    using directory = new SocketDirectory();
    using mad = new FalseCore(directory.path, greeting);
    using frontend = new TestFrontend(directory.path);
    await until(() => {
      frontend.clock.advance(10);
      return mad.closed >= 2;
    });
    expect(frontend.reports).toEqual([SENSELESS]);
  });

  test("if it sends the outcome of another call", async () => {
    using directory = new SocketDirectory();
    using mad = new FalseCore(directory.path, CORE_HELLO);
    using frontend = await TestFrontend.start(directory.path);
    const answer = frontend.answer("p", "a");
    await until(() => mad.kinds.includes(ANSWER_CALL.kind));
    // Its payload could be that of an outcome of an answer.
    mad.say(frameBytes<OfferOutcome>(OFFER_CALL.kind, 1, OFFER_CALL.outcome, { kind: "denied" }));
    expect(await answer).toBe("client-gone");
    expect(frontend.reports.slice(1)).toEqual([SENSELESS]);
  });

  test("but not if it sends the outcome of a call that nobody waits for", async () => {
    using directory = new SocketDirectory();
    using core = new FalseCore(directory.path, Buffer.concat([CORE_HELLO, outcome, outcome]));
    using frontend = await TestFrontend.start(directory.path);
    const poll = frontend.poll("p");
    await until(() => core.kinds.includes(POLL_CALL.kind));
    core.say(outcome);
    await until(() => poll.outcome !== undefined);
    expect(poll.outcome).toEqual({ kind: "idle", nextPoll: 1 });
    expect(frontend.broker.connected).toBe(true);
  });

  test("and if it refuses this frontend its reason is reported, once", async () => {
    using directory = new SocketDirectory();
    const refusal = frameBytes(FRAME_KIND.refused, 0, TEXT, "because");
    using refusing = new FalseCore(directory.path, refusal);
    using frontend = new TestFrontend(directory.path);
    await until(() => {
      frontend.clock.advance(10);
      return refusing.closed >= 3;
    });
    expect(frontend.reports).toEqual(["the core refuses this frontend: because"]);
  });
});
