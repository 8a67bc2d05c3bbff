/** SQS as a process of its own that can go down and come back. Its queues live in its memory. */

import { join } from "node:path";

const SERVER = join(import.meta.dir, "fauxqs-server.ts");

export class FauxqsProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Bun.PipedSubprocess;

  private constructor(port: number, process: Bun.PipedSubprocess) {
    this.port = port;
    this.#process = process;
  }

  /** Starts it, on any free port unless one is given. */
  static async start(port = 0): Promise<FauxqsProcess> {
    const server = Bun.spawn([process.execPath, SERVER, port.toString()], {
      // It ends with this process, even if nobody stops it.
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await reader.read();
    if (value === undefined) throw new Error(`no SQS: ${await server.stderr.text()}`);
    return new FauxqsProcess(Number(value), server);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}
