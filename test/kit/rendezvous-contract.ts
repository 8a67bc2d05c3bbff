/**
 * What every way in for clients has to do, as tests. A way in passes them by being started before a broker and sending
 * messages as its clients do. The broker's clock stands still, so that nothing here waits for a deadline.
 */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import fc from "fast-check";

import type { RendezvousMethod } from "../../src/broker/broker.ts";
import { NO_EVENTS, type OfferEnd } from "../../src/broker/events.ts";
import { CLIENT_DEADLINE } from "../../src/broker/policy/matching-policy.ts";
import type { RefusalReason } from "../../src/frontend/refusals.ts";
import type { Destination } from "../../src/frontend/rendezvous.ts";
import { descriptionText, writeDescription } from "../../src/messages/session-description.ts";
import { until } from "../interop/waiting.ts";
import { TestBroker } from "./test-broker.ts";

export interface WayInUnderTest {
  /** What its clients are counted under. */
  readonly rendezvous: RendezvousMethod;
  /** The address at which it sees the clients of this test; undefined if it hides where they are. */
  readonly clientAddress: string | undefined;
  /** Whether it can tell that a client has gone before it had its response. */
  readonly noticesGone: boolean;
  /** Starts it, on loopback, before a broker. */
  readonly start: (destination: Destination) => Promise<StartedWayIn>;
}

export interface StartedWayIn extends AsyncDisposable {
  /**
   * Sends a message, which is UTF-8 without control characters but LF, as a client of its own, and resolves to the
   * response. The client goes away when `hangUp` aborts; the promise may then do anything.
   */
  send(message: Uint8Array, hangUp?: AbortSignal): Promise<string>;
}

/** What a broker was told of a client, and what it told of it. */
interface EndedOffer {
  readonly rendezvous: RendezvousMethod;
  readonly address: string | undefined;
  readonly end: OfferEnd;
}

/** Longest wait for something to come through, in ms. */
const BOUND = 5_000;

/** How many clients come at once. */
const CROWD = 200;

const CANDIDATE_ADDRESS = "198.51.100.7";

const SDP = [
  "v=0",
  "o=- 1 2 IN IP4 0.0.0.0",
  "s=-",
  "t=0 0",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 0.0.0.0",
  `a=candidate:1 1 udp 2130706431 ${CANDIDATE_ADDRESS} 5000 typ host`,
  "",
].join("\r\n");

/** Both with white space, and with a character that takes four bytes: they have to arrive as they are. */
const OFFER = `{ "type": "offer", "sdp": ${JSON.stringify(SDP)}, "\u{1f9ca}": "" }`;
const ANSWER = '{ "type": "answer", "sdp": "<\u{1f9ca}>\r\n" }';

type Malformed = readonly [name: string, message: string, error: string, refusal: RefusalReason];

const MALFORMED: readonly Malformed[] = [
  ["no version line", "1.0", "unsupported message version", "version"],
  ["another version", "1.1\n{}", "unsupported message version", "version"],
  ["no JSON", "1.0\n", "invalid JSON: the text ends too early", "json"],
  ["JSON that is no object", "1.0\n[]", "invalid JSON: expected an object, found array", "json"],
  ["no offer", "1.0\n{}", "no supplied offer", "no-description"],
  [
    "an offer that is no JSON",
    poll({ offer: "{" }),
    "malformed session description: invalid JSON: the text ends too early",
    "description",
  ],
  [
    "an offer without type",
    poll({ offer: "{}" }),
    "malformed session description: cannot deserialize SessionDescription without type field",
    "description",
  ],
  [
    "an offer without SDP",
    poll({ offer: '{"type":"offer"}' }),
    "malformed session description: cannot deserialize SessionDescription without sdp field",
    "description",
  ],
  [
    "an offer of a type that is no text",
    poll({ offer: '{"type":1,"sdp":""}' }),
    "malformed session description: invalid SDP type",
    "description",
  ],
  [
    "an offer of SDP that is no text",
    poll({ offer: '{"type":"offer","sdp":1}' }),
    "malformed session description: invalid SDP",
    "description",
  ],
  [
    "an offer of another type",
    poll({ offer: '{"type":"wish","sdp":""}' }),
    "malformed session description: Unknown SDP type",
    "description",
  ],
  ["a bad fingerprint", poll({ fingerprint: "2B28" }), "cannot decode fingerprint", "fingerprint"],
  ["a bad NAT type", poll({ nat: "cone" }), "invalid NAT type", "nat-type"],
];

function poll(members: Readonly<Record<string, string>>): string {
  return `1.0\n${JSON.stringify({ offer: OFFER, ...members })}`;
}

export function describeRendezvous(wayIn: WayInUnderTest): void {
  describe(`the way in called ${wayIn.rendezvous}`, () => {
    let ended: EndedOffer[];
    let refused: string[];
    let t: TestBroker;
    let started: StartedWayIn;

    beforeEach(async () => {
      ended = [];
      refused = [];
      t = new TestBroker({
        events: {
          ...NO_EVENTS,
          offerEnded: ({ rendezvous, address }, end) =>
            void ended.push({ rendezvous, address: address?.reveal(), end }),
        },
      });
      started = await wayIn.start({
        broker: t.broker,
        refusals: { refused: (route, reason) => void refused.push(`${route} ${reason}`) },
      });
    });

    afterEach(async () => {
      await started[Symbol.asyncDispose]();
      expect(t.broker.load.clients).toBe(0);
      expect(t.broker.consistencyCheck()).toEqual([]);
    });

    function send(text: string, hangUp?: AbortSignal): Promise<string> {
      return started.send(Buffer.from(text), hangUp);
    }

    /** Waits until so many clients have a proxy's attention. */
    function clientsInFlight(count: number): Promise<true> {
      return until(BOUND, `${count} clients in flight`, () =>
        t.broker.load.clients === count ? true : undefined,
      );
    }

    test("takes the offer to a proxy as it is, and the answer back as it is", async () => {
      const proxy = t.poll("a");
      const response = send(poll({ nat: "restricted" }));
      await clientsInFlight(1);
      expect(proxy.outcome).toMatchObject({
        kind: "matched",
        offer: writeDescription(OFFER),
        clientNat: "restricted",
      });
      expect(await t.answer("a", ANSWER)).toBe("delivered");
      expect(JSON.parse(await response)).toEqual({ answer: ANSWER });
    });

    test("tells a client for whom there is no proxy", async () => {
      expect(await send(poll({}))).toBe('{"error":"no snowflake proxies currently available"}');
    });

    test("tells a client whose proxy does not answer, at the client's deadline", async () => {
      t.poll("a");
      const response = send(poll({}));
      await clientsInFlight(1);
      t.clock.advance(CLIENT_DEADLINE - 1);
      expect(t.broker.load.clients).toBe(1);
      t.clock.advance(1);
      expect(await response).toBe('{"error":"timed out waiting for answer!"}');
    });

    test("tells a client whose bridge is unknown", async () => {
      t.poll("a");
      expect(await send(poll({ fingerprint: "00".repeat(20) }))).toBe(
        '{"error":"bridge with requested fingerprint is unknown to the broker"}',
      );
      expect(t.broker.load.waitingProxies).toBe(1);
    });

    test.each(MALFORMED)(
      "tells a client whose message has %s",
      async (_name, text, error, refusal) => {
        t.poll("a");
        expect(await send(text)).toBe(`{"error":${JSON.stringify(error)}}`);
        expect(t.broker.load.waitingProxies).toBe(1);
        expect(ended).toEqual([]);
        expect(refused).toEqual([`client ${refusal}`]);
      },
    );

    test("has one error for whatever is sent", async () => {
      const text = fc.string({ unit: "grapheme", minLength: 1 });
      const sent = fc.oneof(
        // What begins with a brace may be a legacy message.
        text.filter((line) => !line.startsWith("{")),
        fc.oneof(text, fc.json()).map((json) => `1.0\n${json}`),
      );
      await fc.assert(
        fc.asyncProperty(sent, async (message) => {
          expect(JSON.parse(await send(message))).toEqual({ error: expect.any(String) });
        }),
        { numRuns: 50 },
      );
    });

    test("says what it is called, and where the client is as far as it can tell", async () => {
      const { rendezvous, clientAddress } = wayIn;
      await send(poll({}));
      await send(poll({ offer: '{"type":"offer","sdp":""}' }));
      expect(ended).toEqual([
        { rendezvous, address: clientAddress ?? CANDIDATE_ADDRESS, end: "denied" },
        { rendezvous, address: clientAddress, end: "denied" },
      ]);
    });

    if (wayIn.noticesGone) {
      test("frees the proxy of a client that goes away", async () => {
        t.poll("a");
        const client = new AbortController();
        const response = send(poll({}), client.signal).catch(() => "gone");
        await clientsInFlight(1);
        client.abort();
        await clientsInFlight(0);
        expect(ended).toMatchObject([{ end: "abandoned" }]);
        expect(await t.answer("a", "{}")).toBe("client-gone");
        await response;
      });
    }

    test(`gives ${CROWD} clients at once the answer to each one's own offer`, async () => {
      const numbers = Array.from({ length: CROWD }, (_, number) => number);
      const proxies = new Map(
        numbers.map((number) => [`proxy ${number}`, t.poll(`proxy ${number}`)]),
      );
      const responses = numbers.map((number) =>
        send(poll({ offer: `{"type":"offer","sdp":"${number}"}` })),
      );
      await clientsInFlight(CROWD);
      for (const [sid, { outcome }] of proxies) {
        await t.answer(sid, outcome?.kind === "matched" ? descriptionText(outcome.offer) : "none");
      }
      expect(await Promise.all(responses)).toEqual(
        numbers.map((number) => `{"answer":"{\\"type\\":\\"offer\\",\\"sdp\\":\\"${number}\\"}"}`),
      );
    });
  });
}
