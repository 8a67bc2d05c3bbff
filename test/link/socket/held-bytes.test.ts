/** What the calls of a frontend may hold together while the core is away, busy or silent. */

import { expect, test } from "bun:test";

import { FRAME_KIND, PROTOCOL_VERSION } from "../../../src/link/socket/frame.ts";
import { HELLO } from "../../../src/link/socket/hello.ts";
import { writeDescription } from "../../../src/messages/session-description.ts";
import { SocketDirectory, TestCore, TestFrontend, until } from "./linked.ts";
import { frameBytes } from "./raw-peer.ts";

/** An offer of the greatest length, and room for ten of them, in bytes. */
const LONG = "x".repeat(100_000);
const ROOM_FOR_TEN = 10.5 * LONG.length;

test("calls wait for a core up to so many bytes together, and more are refused at once", async () => {
  using directory = new SocketDirectory();
  using frontend = new TestFrontend(directory.path, { limits: { held: ROOM_FOR_TEN } });
  const offers = Array.from({ length: 10 }, () => frontend.offer(LONG));
  const refused = frontend.offer(LONG);
  const poll = frontend.poll("fits");
  await until(() => refused.outcome !== undefined);
  expect(refused.outcome).toEqual({ kind: "denied" });

  // Whichever has its outcome leaves its room to the next.
  offers[0]?.hangUp();
  const next = frontend.offer(LONG);
  const tooMany = frontend.offer(LONG);
  await until(() => tooMany.outcome !== undefined);
  expect(next.outcome).toBeUndefined();
  frontend.clock.advance(5_000);
  await until(() => next.outcome !== undefined);
  expect(poll.outcome).toBeUndefined();

  await using _ = await TestCore.start(directory.path);
  await frontend.connected();
  frontend.offer(LONG);
  await until(() => poll.outcome !== undefined);
  expect(poll.outcome).toMatchObject({ kind: "matched", offer: writeDescription(LONG) });
});

test("what a core does not read counts for as long as it is unsent, and the connection stays", async () => {
  using directory = new SocketDirectory();
  const hello = { version: PROTOCOL_VERSION, role: "core" } as const;
  let core: Bun.Socket | undefined;
  let closed = false;
  using _ = Bun.listen({
    unix: directory.path,
    socket: {
      open(socket) {
        socket.write(frameBytes(FRAME_KIND.hello, 0, HELLO, hello));
        core = socket;
      },
      data() {},
      close() {
        closed = true;
      },
    },
  });
  using frontend = await TestFrontend.start(directory.path, { limits: { held: 4 * ROOM_FOR_TEN } });
  core?.pause();
  const lost = Array.from({ length: 40 }, () => frontend.offer(LONG));
  // Until the socket has taken what it can.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  frontend.clock.advance(6_000);
  await until(() => lost.every(({ outcome }) => outcome?.kind === "timed-out"));

  // No call is under way, but most of the 40 are unsent.
  const refused = Array.from({ length: 30 }, () => frontend.offer(LONG)).at(-1);
  await until(() => refused?.outcome !== undefined);
  expect(refused?.outcome).toEqual({ kind: "denied" });

  core?.resume();
  let taken = frontend.offer(LONG);
  await until(() => {
    if (taken.outcome !== undefined) taken = frontend.offer(LONG);
    frontend.clock.advance(1);
    return taken.outcome === undefined;
  });
  expect(closed).toBe(false);
});
