/** A connection before its PROXY header has come. */

import type { Connection } from "../connection.ts";
import type { Receiver } from "../transport.ts";
import { readProxyHeader } from "./header.ts";

/** Reads the header, cut anywhere. A connection that begins with anything else is cut. */
export class AwaitedHeader implements Receiver {
  readonly #connection: Connection;
  readonly #onRead: (rest: Uint8Array) => void;
  #bytes: Uint8Array = new Uint8Array();

  /** `onRead` is called once, with what came after the header. It takes over what the socket tells. */
  constructor(connection: Connection, onRead: (rest: Uint8Array) => void) {
    this.#connection = connection;
    this.#onRead = onRead;
  }

  received(bytes: Uint8Array): void {
    const all = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const header = readProxyHeader(all);
    if (header === "invalid") {
      this.#connection.struck("proxy-header");
      this.#connection.cut();
    } else if (header === "incomplete") {
      this.#bytes = all;
      if (!this.#connection.hold(all.length)) this.#connection.cut();
    } else {
      this.#connection.hold(0);
      if (header.source !== undefined) this.#connection.comesFrom(header.source);
      this.#onRead(all.subarray(header.length));
    }
  }

  receivedEnd(): void {
    this.#connection.receivedEnd();
  }

  drained(): void {}

  closed(): void {
    this.#connection.closed();
  }
}
