/** HTTP as bytes on a socket, for what no client library would send or show. */

export interface RawResponse {
  readonly statusLine: string;
  /** Lines as sent, without `Date`. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A connection on which bytes are sent and looked at as they come. */
export class RawConnection {
  received = "";
  closed = false;
  #onChange: () => void = () => {};
  #socket: Bun.Socket | undefined = undefined;

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection();
    connection.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, bytes) => connection.#changed(bytes.toString("latin1")),
        close: () => connection.#changed(undefined),
        error: () => connection.#changed(undefined),
      },
    });
    return connection;
  }

  /** Returns how many bytes the socket took; the rest is not sent. */
  send(text: string): number {
    const taken = this.#socket?.write(Buffer.from(text, "latin1")) ?? 0;
    this.#socket?.flush();
    return taken;
  }

  /** Closes the sending half, or both where the runtime knows no halves. */
  end(): void {
    this.#socket?.end();
  }

  /** Resolves when the condition holds for what was received so far; fails after `ms`. */
  async until(holds: (connection: this) => boolean, ms = 5000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
    this.#onChange = () => {
      if (holds(this)) resolve();
    };
    this.#onChange();
    await promise.finally(() => clearTimeout(timer));
  }

  /** The next complete response; undefined if the connection closed without one. */
  async response(options: { readonly toHead?: boolean } = {}): Promise<RawResponse | undefined> {
    await this.until(() => this.closed || this.#complete(options.toHead ?? false) !== undefined);
    const response = this.#complete(options.toHead ?? false);
    if (response !== undefined) this.received = response.rest;
    return response;
  }

  #complete(toHead: boolean): (RawResponse & { readonly rest: string }) | undefined {
    const end = this.received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const [statusLine = "", ...lines] = this.received.slice(0, end).split("\r\n");
    const length = toHead
      ? 0
      : Number(lines.find((line) => /^content-length:/i.test(line))?.slice(15) ?? "0");
    const body = this.received.slice(end + 4, end + 4 + length);
    if (body.length < length) return undefined;
    return {
      statusLine,
      headers: lines.filter((line) => !line.startsWith("Date:")),
      body,
      rest: this.received.slice(end + 4 + length),
    };
  }

  #changed(text: string | undefined): void {
    if (text === undefined) this.closed = true;
    else this.received += text;
    this.#onChange();
  }
}
