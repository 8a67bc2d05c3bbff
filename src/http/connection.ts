/** One connection, from the accepted socket to its end: what is written, what is kept, what is timed. */

import { type Bound, UNSENT_BYTES } from "./limits.ts";
import { TIME_BOUNDS, type Timed, type TimeKeeper, type Waiting } from "./time-limits.ts";
import type { Receiver, Socket } from "./transport.ts";
import type { Awaited, Protocol, Wire } from "./wire.ts";

/** What all connections of a server share. */
export interface Site {
  readonly times: TimeKeeper<Connection>;
  /**
   * Adds to what all connections keep, in bytes; false: it is more than they may, and this one, which keeps `kept`, has
   * more than its share. So whoever keeps little is not cut off for what others keep.
   */
  keep(difference: number, kept: number): boolean;
  struck(bound: Bound): void;
  /** A connection is no more. */
  closed(connection: Connection): void;
  /** Has `flush` called when the present turn of the event loop ends. */
  flushLater(connection: Connection): void;
}

type State =
  | "open"
  /** All is said: what is written goes out, what is received is dropped. */
  | "finishing"
  | "closed";

/** What is written in one turn is given to the socket together, up to about this many bytes. */
const AT_ONCE = 64 * 1024;

export class Connection implements Wire, Waiting<Connection>, Receiver {
  timed: Timed | undefined = undefined;
  since = 0;
  earlier: Connection | undefined = undefined;
  later: Connection | undefined = undefined;

  readonly #site: Site;
  readonly #socket: Socket;
  /** The peer's address, if another than the socket's is known. */
  #source: string | undefined = undefined;
  #protocol: Protocol | undefined = undefined;
  #state: State = "open";
  #peerEnded = false;
  #awaited: Awaited = "request";
  #kept = 0;
  /** Written, but not yet given to the socket. */
  #written: (string | Uint8Array)[] | undefined = undefined;
  /** How many bytes that is. */
  #writtenLength = 0;
  /** What the socket would not take. */
  #unsent: Uint8Array | undefined = undefined;

  constructor(site: Site, socket: Socket) {
    this.#site = site;
    this.#socket = socket;
  }

  /** This has to come before a protocol can be spoken. */
  opens(by: "proxy-header" | "handshake"): void {
    this.#site.times.start(this, by);
  }

  /** The socket's peer speaks for this address. */
  comesFrom(source: string): void {
    this.#source = source;
  }

  /** From now on this protocol is spoken. */
  speak(start: (wire: Wire) => Protocol): void {
    this.await("request");
    this.#protocol = start(this);
  }

  // ---- what the socket tells ----

  received(bytes: Uint8Array): void {
    if (this.#state === "open") this.#protocol?.receive(bytes);
  }

  receivedEnd(): void {
    this.#peerEnded = true;
    if (this.#state === "closed") return;
    if (this.#state === "finishing" || this.#protocol === undefined) this.#close();
    else this.#protocol.receivedEnd();
  }

  drained(): void {
    if (this.#unsent === undefined || this.#state === "closed") return;
    const unsent = this.#unsent;
    this.#unsent = undefined;
    this.#give(unsent);
    if (this.#unsent !== undefined) return;
    if (this.#state === "finishing") this.#sayEnd();
    else {
      this.#site.times.start(this, timeFor(this.#awaited));
      this.#protocol?.drained();
    }
  }

  closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#site.times.start(this, undefined);
    this.#site.keep(-this.#kept, 0);
    this.#written = undefined;
    this.#unsent = undefined;
    this.#site.closed(this);
    // Whoever closed it may be in the midst of something that the end must not interrupt.
    const protocol = this.#protocol;
    if (protocol !== undefined) queueMicrotask(() => protocol.ended());
  }

  /** Its time is up. */
  timedOut(timed: Timed): void {
    const bound = TIME_BOUNDS[timed];
    if (bound !== undefined) this.struck(bound);
    if (timed === "request" || timed === "head" || timed === "body")
      this.#protocol?.timedOut(timed);
    // What is unread may be held by the socket, or by the protocol.
    else if (timed === "unread" && this.#unsent === undefined) this.#protocol?.timedOut(timed);
    // What the system has not delivered yet, it still does; a reset would take it back.
    else if (timed === "closing") this.#close();
    else this.cut();
  }

  /** Its place is wanted for another: it is closed, with a last word at most. */
  makeRoom(): void {
    this.#protocol?.timedOut("request");
    this.flush();
    this.#close();
  }

  /** The server stops: nothing new is wanted. */
  retire(): void {
    this.#protocol?.retire();
  }

  // ---- what the protocol wants ----

  get remoteAddress(): string | undefined {
    return this.#source ?? this.#socket.remoteAddress;
  }

  get unsent(): number {
    return this.#unsent?.byteLength ?? 0;
  }

  await(awaited: Awaited): void {
    this.#awaited = awaited;
    if (this.#state !== "open" || this.#unsent !== undefined) return;
    this.#site.times.start(this, timeFor(awaited));
  }

  hold(bytes: number): boolean {
    if (this.#state === "closed") return true;
    const difference = bytes - this.#kept;
    this.#kept = bytes;
    if (this.#site.keep(difference, bytes) || difference <= 0) return true;
    this.struck("held-bytes");
    return false;
  }

  write(bytes: string | Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#written === undefined) {
      this.#written = [bytes];
      this.#writtenLength = bytes.length;
      this.#site.flushLater(this);
      return;
    }
    this.#written.push(bytes);
    this.#writtenLength += bytes.length;
    if (this.#writtenLength > AT_ONCE) this.flush();
  }

  finish(): void {
    if (this.#state !== "open") return;
    this.#state = "finishing";
    if (this.#written === undefined && this.#unsent === undefined) this.#sayEnd();
  }

  cut(): void {
    if (this.#state === "closed") return;
    this.#socket.terminate();
    this.closed();
  }

  struck(bound: Bound): void {
    this.#site.struck(bound);
  }

  /** Gives the socket what is written. */
  flush(): void {
    const written = this.#written;
    if (written === undefined) return;
    this.#written = undefined;
    const [first = ""] = written;
    const bytes = written.length === 1 ? first : Buffer.concat(written.map(toBytes));
    if (this.#unsent === undefined) this.#give(bytes);
    else this.#queue(bytes);
    if (this.#state === "finishing" && this.#unsent === undefined) this.#sayEnd();
  }

  #give(bytes: string | Uint8Array): void {
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken < bytes.length) this.#queue(toBytes(bytes).subarray(taken));
  }

  #queue(bytes: string | Uint8Array): void {
    if (this.#state === "closed") return;
    const more = toBytes(bytes);
    const waits = this.#unsent !== undefined;
    this.#unsent = this.#unsent === undefined ? more : Buffer.concat([this.#unsent, more]);
    // One reply may be longer, if it is the only one.
    if (waits && this.#unsent.byteLength > UNSENT_BYTES) {
      this.struck("unsent-bytes");
      this.cut();
    } else if (!waits) {
      this.#site.times.start(this, "unread");
    }
  }

  /** All is sent: the peer is told, and given a moment to stop sending. */
  #sayEnd(): void {
    if (this.#peerEnded) {
      this.#close();
      return;
    }
    this.#site.times.start(this, "closing");
    this.#socket.shutdown();
  }

  #close(): void {
    this.#socket.end();
    this.closed();
  }
}

function timeFor(awaited: Awaited): Timed | undefined {
  return awaited === "reply" ? undefined : awaited;
}

function toBytes(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}
