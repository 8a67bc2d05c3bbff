import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import {
  ANSWER_CALL,
  OFFER_CALL,
  POLL_CALL,
  SESSIONS_CALL,
} from "../../../src/link/socket/broker-calls.ts";
import { NO_PAYLOAD } from "../../../src/link/socket/codec.ts";
import { FRAME_KIND } from "../../../src/link/socket/frame.ts";
import { PAGE_CALL } from "../../../src/link/socket/pages.ts";
import { parseFingerprint } from "../../../src/messages/fingerprint.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { sessionId } from "../../kit/test-broker.ts";
import { anOffer, aPoll, SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";
import { frameBytes, helloBytes, RawPeer } from "./raw-peer.ts";

/** A core, a frontend that behaves and whose proxy waits, and room for one that does not behave. */
async function attack(parts: Parameters<typeof TestCore.start>[1] = {}) {
  const directory = new SocketDirectory();
  const core = await TestCore.start(directory.path, parts);
  const honest = await TestFrontend.start(directory.path);
  const poll = honest.poll("honest");
  await honest.settled();
  return {
    core,
    path: directory.path,
    /** The core goes on for everybody else, and nothing is left of those who misbehaved. */
    async [Symbol.asyncDispose]() {
      await until(() => core.load.waitingProxies === 1 && core.socket.frontends === 1);
      expect(poll.outcome).toBeUndefined();
      const offer = honest.offer("o");
      await honest.settled();
      expect(await honest.answer("honest", "a")).toBe("delivered");
      await until(() => offer.outcome !== undefined);
      expect(offer.outcome).toEqual({ kind: "answered", answer: writeDescription("a") });
      expect(core.bugs).toEqual([]);
      expect(core.matchmaker.broker.consistencyCheck()).toEqual([]);
      honest.broker.close();
      await core.socket.stop();
      directory[Symbol.dispose]();
    },
  };
}

/** A frontend that was let in, and has proxies waiting. */
async function letIn(t: { readonly path: string; readonly core: TestCore }): Promise<RawPeer> {
  const peer = await RawPeer.connect(t.path);
  peer.send(helloBytes());
  for (let id = 1; id <= 20; id++) {
    peer.send(frameBytes(POLL_CALL.kind, id, POLL_CALL.request, aPoll(`hostile ${id}`)));
  }
  await until(() => t.core.load.waitingProxies === 21);
  return peer;
}

/** A frame with another text in the place of a description, quotes included. */
function forged(text: string, frameWith: (description: string) => Buffer): Buffer {
  const inner = "#".repeat(text.length - 2);
  return Buffer.from(frameWith(inner).toString("latin1").replace(`"${inner}"`, text), "latin1");
}

describe("a frontend is let in only with a hello", () => {
  test.each([
    ["of another version", { version: 1 }, "this core speaks version 3 of the link"],
    ["of a core", { role: "core" as const }, "only a frontend may connect"],
    ["of a role that nobody knows", { role: undefined }, "only a frontend may connect"],
  ])("not one %s", async (_, hello, refusal) => {
    await using t = await attack();
    using peer = await RawPeer.connect(t.path);
    peer.send(helloBytes(hello));
    // Whatever it says behind its hello is not listened to.
    peer.send(frameBytes(POLL_CALL.kind, 1, POLL_CALL.request, aPoll("p")));
    await until(() => peer.closed);
    expect(peer.kinds).toEqual([FRAME_KIND.refused]);
    expect(peer.refusal).toContain(refusal);
  });

  test.each([
    ["a call before it", frameBytes(POLL_CALL.kind, 1, POLL_CALL.request, aPoll("p"))],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: core\r\n\r\n")],
    ["one that is cut short", frameBytes(FRAME_KIND.hello, 0, NO_PAYLOAD, null)],
    ["a second one", Buffer.concat([helloBytes(), helloBytes()])],
  ])("not with %s", async (_, bytes) => {
    await using t = await attack();
    using peer = await RawPeer.connect(t.path);
    peer.send(bytes);
    await until(() => peer.closed);
    expect(peer.kinds).not.toContain(FRAME_KIND.refused);
  });

  test("and not if it keeps it to itself", async () => {
    await using t = await attack();
    using peer = await RawPeer.connect(t.path);
    using slow = await RawPeer.connect(t.path);
    slow.send(helloBytes().subarray(0, 12));
    // One that is let in after both shows that both were accepted.
    using third = await RawPeer.connect(t.path);
    third.send(helloBytes());
    await until(() => third.kinds.length === 1);
    t.core.clock.advance(5000);
    await until(() => peer.closed && slow.closed);
    expect(third.closed).toBe(false);
  });

  test("and only as long as there are not too many", async () => {
    await using t = await attack({ limits: { connections: 2 } });
    using second = await RawPeer.connect(t.path);
    second.send(helloBytes());
    await until(() => t.core.socket.frontends === 2);
    using third = await RawPeer.connect(t.path);
    third.send(helloBytes());
    await until(() => third.closed);
    expect(third.refusal).toBe("there are too many frontends");
    expect(second.closed).toBe(false);
  });
});

describe("a frontend that misbehaves is cut off, and its polls are withdrawn", () => {
  const poll = frameBytes(POLL_CALL.kind, 100, POLL_CALL.request, aPoll("p"));
  test.each([
    ["a frame of no kind", frameBytes(200, 1, NO_PAYLOAD, null)],
    ["a frame that only a core sends", frameBytes(FRAME_KIND.failed, 1, NO_PAYLOAD, null)],
    ["a frame longer than any", Buffer.of(0xff, 0xff, 0xff, 0x7f)],
    ["a call without its payload", frameBytes(OFFER_CALL.kind, 100, NO_PAYLOAD, null)],
    [
      "a call with more than its payload",
      frameBytes(SESSIONS_CALL.kind, 100, PAGE_CALL.request, ""),
    ],
    [
      "an id that another call has",
      frameBytes(OFFER_CALL.kind, 1, OFFER_CALL.request, anOffer("o")),
    ],
    ["an id twice at once", Buffer.concat([poll, poll])],
    [
      "an offer that is more than one JSON string",
      forged('"o","RelayURL":"wss://192.0.2.1/","x":"y"', (offer) =>
        frameBytes(OFFER_CALL.kind, 100, OFFER_CALL.request, anOffer(offer)),
      ),
    ],
    [
      "an answer that is more than one JSON string",
      forged('"a","error":"e"', (text) => {
        const answer = { sid: sessionId("s"), answer: writeDescription(text) };
        return frameBytes(ANSWER_CALL.kind, 100, ANSWER_CALL.request, answer);
      }),
    ],
    ["a cancel with a payload", frameBytes(FRAME_KIND.cancel, 1, PAGE_CALL.request, "")],
  ])("for %s", async (_, bytes) => {
    await using t = await attack();
    using peer = await letIn(t);
    peer.send(bytes);
    await until(() => peer.closed);
  });

  test("for leaving in the middle of a frame", async () => {
    await using t = await attack();
    const peer = await letIn(t);
    peer.send(poll.subarray(0, 20));
    peer.hangUp();
  });

  test("but not for cancelling what is over, or never was", async () => {
    await using t = await attack();
    using peer = await letIn(t);
    peer.send(frameBytes(FRAME_KIND.cancel, 1, NO_PAYLOAD, null));
    peer.send(frameBytes(FRAME_KIND.cancel, 1, NO_PAYLOAD, null));
    peer.send(frameBytes(FRAME_KIND.cancel, 4711, NO_PAYLOAD, null));
    peer.send(frameBytes(SESSIONS_CALL.kind, 200, NO_PAYLOAD, null));
    await until(() => peer.kinds.length === 3);
    // Even a cancelled call has an outcome, and one only.
    expect(new Set(peer.kinds)).toEqual(
      new Set([FRAME_KIND.hello, POLL_CALL.kind, SESSIONS_CALL.kind]),
    );
  });

  test("for not reading, as soon as too much is kept for it", async () => {
    const page = Buffer.alloc(1024 * 1024);
    await using t = await attack({ limits: { kept: 3 * 1024 * 1024 }, page: async () => page });
    using peer = await letIn(t);
    peer.pause();
    for (let id = 100; id < 110; id++) {
      peer.send(frameBytes(PAGE_CALL.kind, id, PAGE_CALL.request, "page"));
    }
    await until(() => t.core.reports.includes("a frontend is gone: it does not read"));
  });
});

describe("a frontend that asks for too much", () => {
  test("is told that calls beyond the limit have failed", async () => {
    await using t = await attack({ limits: { calls: 22 } });
    using peer = await letIn(t);
    for (let id = 101; id <= 105; id++) {
      peer.send(frameBytes(POLL_CALL.kind, id, POLL_CALL.request, aPoll(`more ${id}`)));
    }
    await until(() => peer.kinds.length === 4);
    expect(peer.kinds).toEqual([
      FRAME_KIND.hello,
      FRAME_KIND.failed,
      FRAME_KIND.failed,
      FRAME_KIND.failed,
    ]);
    expect(peer.closed).toBe(false);
  });

  test("may ask again and again when its calls are over", async () => {
    await using t = await attack({ limits: { calls: 2 } });
    using peer = await RawPeer.connect(t.path);
    peer.send(helloBytes());
    for (let id = 1; id <= 10; id++) {
      peer.send(frameBytes(SESSIONS_CALL.kind, id, NO_PAYLOAD, null));
      await until(() => peer.kinds.length === 1 + id);
    }
    expect(peer.kinds).not.toContain(FRAME_KIND.failed);
  });

  test("gets so many pages at once and no more", async () => {
    const asked: string[] = [];
    const pages = Promise.withResolvers<Uint8Array>();
    await using t = await attack({
      page: (name) => {
        asked.push(name);
        return pages.promise;
      },
    });
    using peer = await letIn(t);
    for (let id = 101; id <= 110; id++) {
      peer.send(frameBytes(PAGE_CALL.kind, id, PAGE_CALL.request, "page"));
    }
    await until(() => peer.kinds.filter((kind) => kind === FRAME_KIND.failed).length === 6);
    expect(asked.length).toBe(4);
    pages.resolve(Buffer.from("text"));
    await until(() => peer.kinds.filter((kind) => kind === PAGE_CALL.kind).length === 4);
  });
});

test("random bytes, before and after a hello, end the connection or wait for more", async () => {
  await using t = await attack();
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      async (greet, bytes) => {
        using peer = await RawPeer.connect(t.path);
        if (greet) peer.send(helloBytes());
        peer.send(bytes);
        peer.hangUp();
        await until(() => peer.closed);
      },
    ),
    { numRuns: 200 },
  );
});

test("frames that are right but for one byte never harm the core", async () => {
  await using t = await attack();
  // For a bridge that there is not, so that it takes nobody's proxy.
  const fingerprint = parseFingerprint("8838024498816A039FCBBAB14E6F40A0843051FA");
  const frames = [
    frameBytes(POLL_CALL.kind, 1, POLL_CALL.request, aPoll("sid")),
    frameBytes(OFFER_CALL.kind, 2, OFFER_CALL.request, anOffer("offer", { fingerprint })),
    frameBytes(FRAME_KIND.cancel, 1, NO_PAYLOAD, null),
    frameBytes(SESSIONS_CALL.kind, 3, NO_PAYLOAD, null),
  ];
  const stream = Buffer.concat(frames);
  for (let at = 0; at < stream.length; at++) {
    using peer = await RawPeer.connect(t.path);
    const wrong = Buffer.from(stream);
    wrong.writeUInt8(wrong.readUInt8(at) ^ 0xff, at);
    peer.send(Buffer.concat([helloBytes(), wrong]));
    await until(() => peer.closed || peer.kinds.length > 0);
  }
});
