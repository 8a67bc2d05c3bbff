/** The decoder of field blocks that Go's HTTP/2 has, in a process of its own. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a block comes to; each character of a text is a byte. */
export type OracleOutcome = "error" | readonly { readonly name: string; readonly value: string }[];

export class HpackOracle implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #lines: AsyncGenerator<string>;

  private constructor(binary: string) {
    this.#process = Bun.spawn([binary], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.#lines = linesOf(this.#process.stdout);
  }

  /** Builds and starts it. Rejects if there is no `go`, or a module can't be had. */
  static async start(): Promise<HpackOracle> {
    if (Bun.which("go") === null) throw new Error("hpack needs `go` on the PATH");
    const directory = mkdtempSync(join(tmpdir(), "hpack-oracle-"));
    try {
      const binary = join(directory, "hpack-oracle");
      const go = Bun.spawn(["go", "build", "-o", binary, "."], {
        cwd: join(import.meta.dir, "hpack-oracle"),
        stdio: ["ignore", "inherit", "inherit"],
      });
      if ((await go.exited) !== 0) throw new Error("hpack: the oracle can't be built");
      return new HpackOracle(binary);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** What the blocks of one connection come to. After an error there is no more. */
  async decode(blocks: readonly Buffer[]): Promise<OracleOutcome[]> {
    const { stdin } = this.#process;
    await stdin.write(`${blocks.map((block) => block.toString("hex")).join(" ")}\n`);
    await stdin.flush();
    const { value: line, done = false } = await this.#lines.next();
    if (done) throw new Error("the oracle has ended");
    return line.split(" ").map(parseOutcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }
}

function parseOutcome(text: string): OracleOutcome {
  if (text === "error") return "error";
  if (text === "") return [];
  const latin1 = (hex: string) => Buffer.from(hex, "hex").toString("latin1");
  return text.split(",").map((field) => {
    const [name = "", value = ""] = field.split(":").map(latin1);
    return { name, value };
  });
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
