/** A real NATS server on the loopback interface, as a process of its own. */

import { describeUnless } from "../tls/programs.ts";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** Where Debian installs it: not on everybody's PATH. */
const PROGRAM = Bun.which("nats-server") ?? Bun.which("nats-server", { PATH: "/usr/sbin" });

/** A suite that needs the program: skipped, with a line, where it is missing; with REQUIRE_PEERS=1 it fails. */
export function describeWithNats(suite: string, body: () => void): void {
  const needs = PROGRAM === null ? "nats-server (apt-get install nats-server)" : undefined;
  describeUnless(needs, suite, body);
}

export class NatsServer extends ServerProcess {
  readonly port: number;

  private constructor(port: number, args: readonly string[]) {
    super([PROGRAM ?? "nats-server", "--addr=127.0.0.1", `--port=${port}`, ...args]);
    this.port = port;
  }

  /** Starts a server on a free port, or on this one, and waits until it accepts connections. */
  static async start(args: readonly string[] = [], port = freePort()): Promise<NatsServer> {
    const server = new NatsServer(port, args);
    try {
      await server.accepting(port);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As the broker takes it. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }
}
