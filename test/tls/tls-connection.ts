/** One TLS connection with HTTP/1.1 on it, by hand: client libraries hide lost requests by making them again. */

/** What the server answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Whether the server is going to close the connection. */
  readonly isLast: boolean;
}

/** Milliseconds for a connection, and for an answer: longer than a poll. */
const CONNECT_TIMEOUT = 10_000;
const ANSWER_TIMEOUT = 20_000;

export class TlsConnection {
  #socket: Bun.Socket | undefined;
  #received = "";
  #failure: Error | undefined;
  #onChange: () => void = () => {};

  /** Resolves after the handshake. The server's certificate is not looked at. */
  static async open(port: number): Promise<TlsConnection> {
    const connection = new TlsConnection();
    const shaken = Promise.withResolvers<void>();
    connection.#onChange = () => {
      if (connection.#failure !== undefined) shaken.reject(connection.#failure);
    };
    const timer = setTimeout(() => connection.#fail("no handshake"), CONNECT_TIMEOUT);
    const connected = Bun.connect({
      hostname: "127.0.0.1",
      port,
      tls: { rejectUnauthorized: false },
      socket: {
        handshake: () => shaken.resolve(),
        data: (_, bytes) => {
          connection.#received += bytes.toString("latin1");
          connection.#onChange();
        },
        close: () => connection.#fail("closed by the server"),
        error: (_, error) => connection.#fail(error.message),
        connectError: (_, error) => connection.#fail(error.message),
      },
    });
    try {
      [connection.#socket] = await Promise.all([connected, shaken.promise]);
      return connection;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether it can be asked, as far as is known. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Rejects if the connection ends before the answer. */
  async request(path: string, body = "", forwardedFor = "192.0.2.1"): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const timer = setTimeout(() => this.#fail("no answer"), ANSWER_TIMEOUT);
    this.#onChange = () => {
      const answer = this.#takeAnswer();
      if (answer !== undefined) resolve(answer);
      else if (this.#failure !== undefined) reject(this.#failure);
    };
    this.#socket?.write(
      `POST ${path} HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: ${forwardedFor}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    this.#onChange();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#onChange = () => {};
    }
  }

  close(): void {
    this.#socket?.end();
  }

  #takeAnswer(): Answer | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? "0");
    const body = this.#received.slice(end + 4, end + 4 + length);
    if (body.length < length) return undefined;
    this.#received = this.#received.slice(end + 4 + length);
    return {
      status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
      body,
      isLast: /^connection: *close/im.test(head),
    };
  }

  #fail(why: string): void {
    this.#failure ??= new Error(why);
    this.#socket?.terminate();
    this.#onChange();
  }
}
