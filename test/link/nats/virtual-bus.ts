/** A bus in virtual time, which delays messages, loses some, and can be taken away from a node. */

import type { Clock } from "../../../src/broker/clock.ts";
import type { Bus, BusListener, BusReply, OnMessage } from "../../../src/link/nats/bus.ts";

export class VirtualNetwork {
  readonly clock: Clock;
  /** How long a message takes, in ms. */
  readonly delay: number;
  readonly buses = new Set<VirtualBus>();
  /** Called for each message: whether it is lost. */
  isLost: () => boolean = () => false;

  constructor(clock: Clock, delay: number) {
    this.clock = clock;
    this.delay = delay;
  }

  later(act: () => void, delay = this.delay): void {
    this.clock.callAt(this.clock.now() + delay, act);
  }
}

export class VirtualBus implements Bus {
  readonly #network: VirtualNetwork;
  readonly #listeners = new Map<string, OnMessage>();
  readonly #pending = new Set<(reply: BusReply) => void>();
  #isConnected = false;

  constructor(network: VirtualNetwork) {
    this.#network = network;
    network.buses.add(this);
  }

  get connected(): boolean {
    return this.#isConnected;
  }

  connect(listener: BusListener): void {
    this.#isConnected = true;
    listener.onConnected();
  }

  disconnect(listener: BusListener): void {
    this.#isConnected = false;
    for (const settle of this.#pending) settle({ kind: "lost" });
    listener.onLost();
  }

  subscribe(subject: string, onMessage: OnMessage): void {
    this.#listeners.set(subject, onMessage);
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#send(subject, payload, undefined);
  }

  request(subject: string, payload: Uint8Array, timeout: number): Promise<BusReply> {
    if (!this.#isConnected) return Promise.resolve({ kind: "lost" });
    const { promise, resolve } = Promise.withResolvers<BusReply>();
    const settle = (reply: BusReply) => {
      this.#pending.delete(settle);
      resolve(reply);
    };
    this.#pending.add(settle);
    this.#network.later(() => settle({ kind: "timed-out" }), timeout);
    const isHeard = this.#send(subject, payload, (bytes) => {
      this.#network.later(() => {
        if (this.#isConnected && !this.#network.isLost()) {
          settle({ kind: "reply", payload: Buffer.from(bytes) });
        }
      });
    });
    if (!isHeard) this.#network.later(() => settle({ kind: "nobody" }));
    return promise;
  }

  close(): Promise<void> {
    this.#isConnected = false;
    this.#network.buses.delete(this);
    return Promise.resolve();
  }

  /** Returns whether anybody listens. */
  #send(
    subject: string,
    payload: Uint8Array,
    reply: ((payload: Uint8Array) => void) | undefined,
  ): boolean {
    const listeners = [...this.#network.buses].filter(
      (bus) => bus !== this && this.#isConnected && bus.connected && bus.#listeners.has(subject),
    );
    for (const bus of listeners) {
      if (this.#network.isLost()) continue;
      const bytes = Buffer.from(payload);
      this.#network.later(() => {
        if (bus.connected) bus.#listeners.get(subject)?.(bytes, reply);
      });
    }
    return listeners.length > 0;
  }
}
