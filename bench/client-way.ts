/** How a generated client reaches the broker. */

import type { AddressCycle } from "./address-cycle.ts";
import type { Connection } from "./http-connection.ts";
import { bodyOf } from "./messages.ts";

/** One client's way, which carries one exchange at a time. */
export interface ClientWay {
  /** Begins the messages of its errors. */
  readonly name: string;
  /**
   * Brings a client's message to the broker, and the response back. Throws BadReply if there is something else instead
   * of a response, any other error if the way is lost.
   */
  exchange(message: string): Promise<string>;
  /** An exchange that is going on rejects. */
  close(): void;
}

/** Straight to `POST /client`. */
export class HttpWay implements ClientWay {
  readonly name = "/client";
  readonly #connection: Connection;
  readonly #addresses: AddressCycle;

  constructor(connection: Connection, addresses: AddressCycle) {
    this.#connection = connection;
    this.#addresses = addresses;
  }

  async exchange(message: string): Promise<string> {
    const response = await this.#connection.post(this.name, message, this.#addresses.next());
    return bodyOf(response, this.name);
  }

  close(): void {
    this.#connection.close();
  }
}
