/** One frontend, as the core sees it: its calls are done, whatever else it sends ends the connection. */

import type { Broker, Departure } from "../../broker/broker.ts";
import type { PollIntervals } from "../../broker/policy/poll-intervals.ts";
import { ANSWER_CALL, OFFER_CALL, POLL_CALL, SESSIONS_CALL } from "./broker-calls.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type Call, type Codec, decodePayload, NO_PAYLOAD, TEXT } from "./codec.ts";
import { COUNT, type Count } from "./counts.ts";
import { type ByteSocket, FrameSocket } from "./frame-socket.ts";
import { FRAME_KIND, PROTOCOL_VERSION } from "./frame.ts";
import { HELLO } from "./hello.ts";
import { INTERVALS } from "./intervals.ts";
import type { LinkLimits } from "./limits.ts";
import { PAGE_CALL, type PagePart, pageParts } from "./pages.ts";

/** What a core has to offer to its frontends. */
export interface CoreServices {
  readonly broker: Broker;
  /** The poll intervals in force. */
  readonly pollIntervals: () => PollIntervals;
  /** The text of a page, by its name; undefined: there is no such page. */
  readonly page: (name: string) => Promise<Uint8Array | undefined>;
  /** A frontend counted something. Its words are not checked: any others but those expected are to be ignored. */
  readonly onCount: (count: Count) => void;
  /** Something above threw, which is a bug of ours. The call fails, and everything goes on. */
  readonly onBug: (error: unknown) => void;
}

export interface FrontendConnectionParts {
  readonly services: CoreServices;
  readonly socket: ByteSocket;
  readonly limits: LinkLimits;
  readonly onGreeted: () => void;
  /** Called once. */
  readonly onClosed: (reason: string) => void;
}

/** A call under way, which ends when it is cancelled or its frontend is gone. */
class ServedCall implements Departure {
  #withdrawn = false;
  #listeners: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#withdrawn;
  }

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  withdraw(): void {
    if (this.#withdrawn) return;
    this.#withdrawn = true;
    for (const listener of this.#listeners ?? []) listener();
  }
}

/** The half of a call that the core sends. */
type Outgoing<Outcome> = Pick<Call<never, Outcome>, "kind" | "outcome">;

/** Takes the request of a call; false if it is none. */
type Serve = (id: number, payload: ByteReader) => boolean;

export class FrontendConnection {
  readonly frames: FrameSocket;
  readonly #parts: FrontendConnectionParts;
  readonly #calls = new Map<number, ServedCall>();
  readonly #serve: ReadonlyMap<number, Serve>;
  #greeted = false;
  #pages = 0;

  constructor(parts: FrontendConnectionParts) {
    this.#parts = parts;
    const { broker } = parts.services;
    this.#serve = new Map([
      [POLL_CALL.kind, this.#serving(POLL_CALL, (poll, call) => broker.poll(poll, call))],
      [OFFER_CALL.kind, this.#serving(OFFER_CALL, (offer, call) => broker.offer(offer, call))],
      [ANSWER_CALL.kind, this.#serving(ANSWER_CALL, (answer) => broker.answer(answer))],
      [SESSIONS_CALL.kind, this.#serving(SESSIONS_CALL, () => broker.sessions())],
      [
        PAGE_CALL.kind,
        this.#servingWith(
          PAGE_CALL.request,
          (name) => this.#page(name),
          (id, page) => {
            for (const part of page) this.#settle(id, PAGE_CALL, part);
          },
        ),
      ],
    ]);
    this.frames = new FrameSocket({
      socket: parts.socket,
      maxKept: parts.limits.kept,
      onFrame: (kind, id, payload) =>
        this.#greeted ? this.#onFrame(kind, id, payload) : this.#onHello(kind, payload),
      onClosed: (reason) => {
        for (const call of this.#calls.values()) call.withdraw();
        parts.onClosed(reason);
      },
    });
  }

  /** Says why this frontend is not wanted, and closes the connection. */
  refuse(reason: string): void {
    this.frames.send(FRAME_KIND.refused, 0, TEXT, reason);
    this.frames.end();
  }

  /** Tells a frontend that has said hello the poll intervals in force. */
  announceIntervals(): void {
    if (!this.#greeted) return;
    const intervals = this.#parts.services.pollIntervals();
    this.frames.send(FRAME_KIND.intervals, 0, INTERVALS, intervals);
  }

  get greeted(): boolean {
    return this.#greeted;
  }

  #onHello(kind: number, payload: ByteReader): boolean {
    const hello = kind === FRAME_KIND.hello ? decodePayload(HELLO, payload) : undefined;
    if (hello === undefined) return false;
    if (hello.version !== PROTOCOL_VERSION) {
      this.refuse(
        `this core speaks version ${PROTOCOL_VERSION} of the link and the frontend version ` +
          `${hello.version}: run the same release on both sides`,
      );
      return true;
    }
    if (hello.role !== "http-frontend") {
      this.refuse("only a frontend may connect to a core");
      return true;
    }
    this.#greeted = true;
    this.frames.send(FRAME_KIND.hello, 0, HELLO, { version: PROTOCOL_VERSION, role: "core" });
    this.announceIntervals();
    this.#parts.onGreeted();
    return true;
  }

  #onFrame(kind: number, id: number, payload: ByteReader): boolean {
    const serve = this.#serve.get(kind);
    if (serve !== undefined) return serve(id, payload);
    switch (kind) {
      case FRAME_KIND.cancel:
        this.#calls.get(id)?.withdraw();
        return decodePayload(NO_PAYLOAD, payload) !== undefined;
      case FRAME_KIND.count:
        return this.#onCount(decodePayload(COUNT, payload));
      default:
        return false;
    }
  }

  #onCount(count: Count | undefined): boolean {
    if (count === undefined) return false;
    const { services } = this.#parts;
    try {
      services.onCount(count);
    } catch (error) {
      services.onBug(error);
    }
    return true;
  }

  /** How a call is served whose outcome is one frame: most are. */
  #serving<Request, Outcome>(
    call: Call<Request, Outcome>,
    act: (request: Request, served: ServedCall) => Promise<Outcome>,
  ): Serve {
    return this.#servingWith(call.request, act, (id, outcome) => this.#settle(id, call, outcome));
  }

  #servingWith<Request, Outcome>(
    codec: Codec<Request>,
    act: (request: Request, served: ServedCall) => Promise<Outcome | undefined>,
    reply: (id: number, outcome: Outcome) => void,
  ): Serve {
    return (id, payload) => {
      const request = decodePayload(codec, payload);
      if (request === undefined || this.#calls.has(id)) return false;
      if (this.#calls.size >= this.#parts.limits.calls) this.#fail(id);
      else this.#do(id, request, act, reply);
      return true;
    };
  }

  /** Does a call whose outcome is undefined if it can't be done now. Nothing is suspended but what the call itself is. */
  #do<Request, Outcome>(
    id: number,
    request: Request,
    act: (request: Request, served: ServedCall) => Promise<Outcome | undefined>,
    reply: (id: number, outcome: Outcome) => void,
  ): void {
    const served = new ServedCall();
    this.#calls.set(id, served);
    const onOutcome = (outcome: Outcome | undefined) => {
      this.#calls.delete(id);
      if (outcome === undefined) this.#fail(id);
      else reply(id, outcome);
    };
    const onBug = (error: unknown) => {
      this.#calls.delete(id);
      this.#parts.services.onBug(error);
      this.#fail(id);
    };
    try {
      act(request, served).then(onOutcome).catch(onBug);
    } catch (error) {
      onBug(error);
    }
  }

  async #page(name: string): Promise<readonly PagePart[] | undefined> {
    if (this.#pages >= this.#parts.limits.pages) return undefined;
    this.#pages++;
    try {
      return pageParts(await this.#parts.services.page(name));
    } finally {
      this.#pages--;
    }
  }

  #settle<Outcome>(id: number, call: Outgoing<Outcome>, outcome: Outcome): void {
    if (!this.frames.send(call.kind, id, call.outcome, outcome)) this.#fail(id);
  }

  #fail(id: number): void {
    this.frames.send(FRAME_KIND.failed, id, NO_PAYLOAD, null);
  }
}
