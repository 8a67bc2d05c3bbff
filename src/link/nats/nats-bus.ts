/** The bus of a cluster: NATS, through its official client. */

import {
  type Authenticator,
  connect,
  type Msg,
  type NatsConnection,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";

import type { Clock } from "../../broker/clock.ts";
import type { Logger } from "../../log/logger.ts";
import { BackOff } from "../socket/back-off.ts";
import type { Bus, BusListener, BusReply, OnMessage } from "./bus.ts";

export interface NatsBusParts {
  /** Where NATS servers are, as `host:port`; any of them will do. */
  readonly servers: readonly string[];
  /** Undefined: as the server wishes. Otherwise TLS is a must, with these root certificates if any are given (PEM). */
  readonly tls: { readonly ca?: string } | undefined;
  readonly authenticator: Authenticator | undefined;
  /** What the subjects of replies begin with. */
  readonly inboxPrefix: string;
  readonly clock: Clock;
  /** A number from 0 up to 1, to spread attempts to reconnect. */
  readonly random: () => number;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** How long a server may take to accept a connection, in ms. */
const CONNECT_TIMEOUT = 2_000;

/** A server that does not answer two pings in a row is gone; ms between pings. */
const PING_INTERVAL = 1_000;
const MAX_PINGS_OUT = 2;

/** How long the last messages may take to be sent, in ms. */
const CLOSE_TIMEOUT = 500;

/**
 * Connects again whenever the connection is gone, at least once a second. The client library could do so, too, but it
 * keeps what is sent meanwhile and sends it later, when nobody waits for the reply any more, and it lets requests run into
 * their time limits. Here every connection begins with nothing, and ends all requests that it had.
 */
export class NatsBus implements Bus {
  readonly #parts: NatsBusParts;
  readonly #subscriptions = new Map<string, OnMessage>();
  #connection: NatsConnection | undefined;
  #closed = false;
  /** The trouble that was reported last: an outage is reported once. */
  #reported: string | undefined;
  #stopWaiting = () => {};

  constructor(parts: NatsBusParts) {
    this.#parts = parts;
  }

  /** Begins to connect, and goes on until the bus is closed. */
  start(listener: BusListener): void {
    void this.#run(listener);
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  subscribe(subject: string, onMessage: OnMessage): void {
    this.#subscriptions.set(subject, onMessage);
    if (this.#connection !== undefined) listen(this.#connection, subject, onMessage);
  }

  publish(subject: string, payload: Uint8Array): void {
    const connection = this.#connection;
    if (connection !== undefined) send(() => connection.publish(subject, payload));
  }

  async request(subject: string, payload: Uint8Array, timeout: number): Promise<BusReply> {
    if (this.#connection === undefined) return { kind: "lost" };
    try {
      const { data } = await this.#connection.request(subject, payload, { timeout });
      return { kind: "reply", payload: bufferOf(data) };
    } catch (error) {
      if (error instanceof TimeoutError) return { kind: "timed-out" };
      if (error instanceof RequestError && error.isNoResponders()) return { kind: "nobody" };
      return { kind: "lost" };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWaiting();
    const connection = this.#connection;
    if (connection === undefined) return;
    await Promise.race([connection.flush().catch(() => undefined), this.#wait(CLOSE_TIMEOUT)]);
    this.#stopWaiting();
    await connection.close();
  }

  async #run(listener: BusListener): Promise<void> {
    const backOff = new BackOff(this.#parts.random);
    while (!this.#closed) {
      const connection = await this.#connect();
      if (connection === undefined) {
        await this.#wait(backOff.next());
        continue;
      }
      if (this.#closed) {
        await connection.close();
        return;
      }
      backOff.reset();
      this.#reported = undefined;
      this.#connection = connection;
      for (const [subject, onMessage] of this.#subscriptions) {
        listen(connection, subject, onMessage);
      }
      this.#parts.log.info("connected to NATS");
      void this.#watch(connection);
      listener.onConnected();
      const error = await connection.closed();
      this.#connection = undefined;
      listener.onLost();
      if (!this.#closed) {
        this.#trouble(
          `the connection to NATS is lost: ${error?.message ?? "the server closed it"}`,
        );
      }
    }
  }

  async #connect(): Promise<NatsConnection | undefined> {
    const { servers, tls, authenticator, inboxPrefix } = this.#parts;
    try {
      return await connect({
        servers: [...servers],
        ...(tls === undefined ? {} : { tls }),
        ...(authenticator === undefined ? {} : { authenticator }),
        inboxPrefix,
        reconnect: false,
        noEcho: true,
        noAsyncTraces: true,
        timeout: CONNECT_TIMEOUT,
        pingInterval: PING_INTERVAL,
        maxPingOut: MAX_PINGS_OUT,
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#trouble(`NATS can't be reached: ${why}`);
      return undefined;
    }
  }

  /** Reports what the server refuses, such as a subject that this node has no right to. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "error") this.#trouble(`NATS: ${status.error.message}`);
    }
  }

  #trouble(message: string): void {
    if (message === this.#reported) return;
    this.#reported = message;
    this.#parts.log.warn(`${message}; this node matches the peers that it has, and tries again`);
  }

  #wait(ms: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      const cancel = clock.callAt(clock.now() + ms, resolve);
      this.#stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }
}

function listen(connection: NatsConnection, subject: string, onMessage: OnMessage): void {
  connection.subscribe(subject, {
    callback(error: Error | null, message: Msg) {
      // The server refuses the subscription, and its status says why.
      if (error !== null) return;
      const hasReply = message.reply !== undefined && message.reply !== "";
      onMessage(
        bufferOf(message.data),
        hasReply ? (payload) => send(() => void message.respond(payload)) : undefined,
      );
    },
  });
}

/** A connection that closes at this moment takes nothing any more: its messages are lost, as those under way. */
function send(publish: () => void): void {
  try {
    publish();
  } catch {
    // Nothing can be done, and whoever waits for a reply has a time limit.
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
