/** What is between two NATS servers, and can be cut. */

/** Carries every connection to another port, until it is cut; then it accepts none. */
export class NatsRelay implements Disposable {
  readonly #target: number;
  readonly #sockets = new Set<Bun.Socket<Peer>>();
  readonly #listener: Bun.TCPSocketListener<Peer>;
  #isCut = false;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Bun.listen<Peer>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { other: undefined, early: [] };
          this.#sockets.add(socket);
          if (this.#isCut) socket.terminate();
          else void this.#connect(socket);
        },
        ...this.#handlers(),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Ends all connections, and lets none through. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.terminate();
  }

  restore(): void {
    this.#isCut = false;
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#listener.stop(true);
  }

  async #connect(socket: Bun.Socket<Peer>): Promise<void> {
    const other = await Bun.connect<Peer>({
      hostname: "127.0.0.1",
      port: this.#target,
      data: { other: socket, early: [] },
      socket: this.#handlers(),
    });
    this.#sockets.add(other);
    socket.data.other = other;
    for (const bytes of socket.data.early) other.write(bytes);
  }

  #handlers() {
    return {
      data(socket: Bun.Socket<Peer>, bytes: Buffer) {
        if (socket.data.other === undefined) socket.data.early.push(Buffer.from(bytes));
        else socket.data.other.write(bytes);
      },
      close: (socket: Bun.Socket<Peer>) => {
        this.#sockets.delete(socket);
        socket.data.other?.terminate();
      },
    };
  }
}

interface Peer {
  other: Bun.Socket<Peer> | undefined;
  /** What came before there was another side. */
  readonly early: Buffer[];
}
