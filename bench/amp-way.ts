/** Clients behind an AMP cache: the message in a path, the response in a page. The generator is the cache, too. */

import { encodeAmpPath, readAmpResponse } from "../test/kit/amp-client.ts";
import type { ClientWay } from "./client-way.ts";
import { HttpConnection } from "./http-connection.ts";
import { BadReply, bodyOf } from "./messages.ts";

/** Caches are few, whoever their users are. The broker does not look. */
const CACHE_ADDRESS = "203.0.113.7";

/** Random bytes that make each path unlike all others. */
const BREAKER_BYTES = 9;

/** Through `GET /amp/client/`. */
export class AmpWay implements ClientWay {
  readonly name = "/amp/client";
  readonly #connection: HttpConnection;

  constructor(port: number) {
    this.#connection = new HttpConnection(port);
  }

  async exchange(message: string): Promise<string> {
    const breaker = crypto.getRandomValues(Buffer.alloc(BREAKER_BYTES)).toString("base64url");
    const path = `${this.name}/${encodeAmpPath(Buffer.from(message), breaker)}`;
    const page = bodyOf(await this.#connection.get(path, CACHE_ADDRESS), this.name);
    try {
      return readAmpResponse(page);
    } catch (cause) {
      throw new BadReply(`${this.name}: no armored response`, { cause });
    }
  }

  close(): void {
    this.#connection.close();
  }
}
