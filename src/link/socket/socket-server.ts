/** The core's end of the link: its broker on a unix socket. */

import type { Departure, OfferOutcome } from "../../broker/broker.ts";
import type { Clock } from "../../broker/clock.ts";
import type { FrameSocket } from "./frame-socket.ts";
import { type CoreServices, FrontendConnection } from "./frontend-connection.ts";
import { DEFAULT_LIMITS, HELLO_DEADLINE, type LinkLimits } from "./limits.ts";
import { SocketPlace } from "./socket-place.ts";

export interface BrokerSocketParts extends CoreServices {
  /** Where the socket is; its directory must exist. */
  readonly path: string;
  readonly clock: Clock;
  /** What an operator may want to know: a frontend came, left, or was thrown out. */
  readonly report: (message: string) => void;
  readonly limits?: Partial<LinkLimits>;
}

export interface BrokerSocket {
  /** How many frontends are connected. */
  readonly frontends: number;
  /** Tells all frontends the poll intervals in force, which have changed. */
  announceIntervals(): void;
  /**
   * Stops listening and removes the socket: another core may have it. Offers that come from now on are left without an
   * outcome, so that their frontends ask that core when this one is gone. Everything else is done as ever.
   */
  retire(): void;
  /**
   * Retires if it has not, and closes all connections once they have taken what was sent to them, or
   * after a second. Waiting polls are withdrawn here, and their frontends register them again with the next core.
   */
  stop(): Promise<void>;
}

export type ServedOnSocket =
  | { readonly ok: true; readonly socket: BrokerSocket }
  /** `error`: what the operator has to mend, in one line. */
  | { readonly ok: false; readonly error: string };

/** Milliseconds that connections are given to take what is left for them. */
const STOP_TIMEOUT = 1_000;

/** The socket's owner and group may connect, nobody else. */
const NOT_FOR_OTHERS = 0o117;

/**
 * Serves a broker to whoever connects to a unix socket of mode 0660. A socket that a core left behind is replaced; one
 * where somebody answers is not. Of several that start together, in any process, one gets the socket.
 */
export async function serveBrokerOnSocket(parts: BrokerSocketParts): Promise<ServedOnSocket> {
  const server = new Server(parts);
  const taken = await SocketPlace.take(parts.path, (unix) => server.listen(unix));
  if (!taken.ok) {
    server.retire();
    return { ok: false, error: `cannot listen on ${parts.path}: ${taken.error}` };
  }
  server.place = taken.place;
  return { ok: true, socket: server };
}

/** The outcome of an offer that nobody deals with: none, as long as somebody waits for it. */
function untilGone(gone: Departure): Promise<OfferOutcome> {
  const { promise, resolve } = Promise.withResolvers<OfferOutcome>();
  gone.addEventListener("abort", () => resolve({ kind: "timed-out" }));
  return promise;
}

class Server implements BrokerSocket {
  readonly #parts: BrokerSocketParts;
  readonly #limits: LinkLimits;
  readonly #connections = new Set<FrontendConnection>();
  #listener: Bun.UnixSocketListener<FrameSocket | undefined> | undefined;
  /** Where the socket is; undefined: not there yet. */
  place: SocketPlace | undefined;
  #onEmpty: (() => void) | undefined;
  #retired = false;

  constructor(parts: BrokerSocketParts) {
    const { broker } = parts;
    this.#parts = {
      ...parts,
      broker: {
        poll: (poll, gone) => broker.poll(poll, gone),
        offer: (offer, gone) => (this.#retired ? untilGone(gone) : broker.offer(offer, gone)),
        answer: (answer) => broker.answer(answer),
        sessions: () => broker.sessions(),
      },
    };
    this.#limits = { ...DEFAULT_LIMITS, ...parts.limits };
  }

  get frontends(): number {
    return [...this.#connections].filter((connection) => connection.greeted).length;
  }

  /** Throws if the address can't be had. */
  listen(unix: string): void {
    const before = process.umask(NOT_FOR_OTHERS);
    try {
      this.#listener = Bun.listen<FrameSocket | undefined>({
        unix,
        socket: {
          open: (socket) => {
            socket.data = this.#accept(socket);
          },
          data: (socket, chunk) => socket.data?.onData(chunk),
          drain: (socket) => socket.data?.onDrain(),
          close: (socket) => socket.data?.onClose(),
          error: (_, error) => this.#parts.onBug(error),
        },
      });
    } finally {
      process.umask(before);
    }
  }

  announceIntervals(): void {
    for (const connection of this.#connections) connection.announceIntervals();
  }

  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    // Before it stops listening: a socket where somebody answers is replaced by nobody.
    this.place?.leave();
    this.#listener?.stop();
  }

  async stop(): Promise<void> {
    this.retire();
    if (this.#connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    for (const connection of this.#connections) connection.frames.end();
    const { clock } = this.#parts;
    const cancel = clock.callAt(clock.now() + STOP_TIMEOUT, () => {
      for (const connection of this.#connections) connection.frames.cut("it does not read");
    });
    await promise;
    cancel();
  }

  #accept(socket: Bun.Socket<FrameSocket | undefined>): FrameSocket {
    const { clock, report } = this.#parts;
    const cancelDeadline = clock.callAt(clock.now() + HELLO_DEADLINE, () => {
      connection.frames.cut("it sent no hello");
    });
    const connection = new FrontendConnection({
      services: this.#parts,
      socket,
      limits: this.#limits,
      onGreeted() {
        cancelDeadline();
        report("a frontend is connected");
      },
      onClosed: (reason) => {
        cancelDeadline();
        this.#connections.delete(connection);
        if (connection.greeted) report(`a frontend is gone: ${reason}`);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    });
    if (this.#connections.size >= this.#limits.connections) {
      connection.refuse("there are too many frontends");
    }
    this.#connections.add(connection);
    return connection.frames;
  }
}
