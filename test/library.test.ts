/** The packed package: its library type-checks and runs on every runtime, and its command still starts. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import packageJson from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dir, "..");
const OLDEST_NODE = 22;

/** `SNOWFLAKE_RUNTIMES_DIR` holds executables named `node` and `deno`; what is missing there is taken from the PATH. */
const PATH = [process.env["SNOWFLAKE_RUNTIMES_DIR"], process.env["PATH"]].join(delimiter);
const which = (program: string) => Bun.which(program, { PATH });

/** Runs a program to its end; resolves to its standard output. Throws with all its output if it fails. */
async function run(command: readonly string[], cwd: string, env = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, PATH, ...env },
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** A program of its own, with the package installed. */
let consumer: string;

beforeAll(async () => {
  consumer = mkdtempSync(join(tmpdir(), "snowflake-broker-library-"));
  const modules = join(consumer, "node_modules");
  mkdirSync(modules);
  await run(["npm", "pack", "--pack-destination", consumer], ROOT);
  // What npm install would do with the tarball, without asking a registry for the dependencies.
  await run(["tar", "-xzf", `snowflake-broker-${packageJson.version}.tgz`], consumer);
  await run(["mv", "package", "node_modules/snowflake-broker"], consumer);
  for (const name of [...Object.keys(packageJson.dependencies), "@types/node"]) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  const document = readFileSync(join(ROOT, "docs/embedding.md"), "utf8");
  const [broker = "", http = ""] = [...document.matchAll(/```js\n([\s\S]*?)```/g)].map(
    ([, example = ""]) => example,
  );
  writeFileSync(join(consumer, "package.json"), '{ "type": "module" }');
  writeFileSync(join(consumer, "example.js"), broker);
  writeFileSync(join(consumer, "http.js"), http);
});

afterAll(() => rmSync(consumer, { recursive: true }));

const EXAMPLE_OUTPUT = "proxy: matched\nanswer: delivered\nclient: answered\n";

test("the example of docs/embedding.md runs on Bun", async () => {
  expect(await run([process.execPath, "example.js"], consumer)).toBe(EXAMPLE_OUTPUT);
});

test("the HTTP server of docs/embedding.md runs on Bun", async () => {
  expect(await run([process.execPath, "http.js"], consumer)).toBe("POST /hello world 5\n");
});

test("the HTTP server can't be imported elsewhere", async () => {
  const imported = run(["node", "http.js"], consumer).catch(String);
  expect(await imported).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
});

describeRuntime("node", [], nodeVersion() >= OLDEST_NODE);
describeRuntime("deno", ["run", "--no-prompt", "--no-lock", "--no-remote"], which("deno") !== null);

/** Missing runtimes are skipped with a line; with REQUIRE_PEERS=1 they are failures. */
function describeRuntime(name: string, args: readonly string[], isThere: boolean): void {
  const title = `the example of docs/embedding.md runs on ${name}`;
  if (isThere || process.env["REQUIRE_PEERS"] === "1") {
    test(title, async () => {
      if (!isThere) throw new Error(`needs ${needs(name)}`);
      const command = [which(name) ?? name, ...args, "example.js"];
      const env = { DENO_DIR: join(consumer, "deno"), DENO_NO_UPDATE_CHECK: "1" };
      expect(await run(command, consumer, env)).toBe(EXAMPLE_OUTPUT);
    });
  } else {
    console.log(`skipped library/${name}: needs ${needs(name)}`);
    test.skip(title, () => undefined);
  }
}

function needs(name: string): string {
  const version = name === "node" ? `${OLDEST_NODE} or later` : "2";
  return `${name} ${version} on the PATH or in SNOWFLAKE_RUNTIMES_DIR`;
}

/** The major version of Node; 0 if there is none. */
function nodeVersion(): number {
  const node = which("node");
  if (node === null) return 0;
  return Number(/^v(\d+)/.exec(Bun.spawnSync([node, "--version"]).stdout.toString())?.[1] ?? 0);
}

describe("types", () => {
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023"],
    module: "NodeNext",
    types: ["node"],
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };

  async function check(name: string, source: string): Promise<void> {
    writeFileSync(join(consumer, name), source);
    const project = `${name}.json`;
    writeFileSync(join(consumer, project), JSON.stringify({ compilerOptions, files: [name] }));
    await run([join(ROOT, "node_modules/.bin/tsc"), "-p", project], consumer);
  }

  test.each(["example", "http"])("%s.js is well typed", (name) => {
    return check(`${name}.ts`, readFileSync(join(consumer, `${name}.js`), "utf8"));
  });

  test("what was not decoded is no message, and modules within the package are out of reach", () => {
    return check(
      "wrong.ts",
      `
      import { LocalBroker } from "snowflake-broker/broker";
      // @ts-expect-error: a session id is made by the decoder.
      export const poll = (b: LocalBroker) => b.answer({ sid: "text", answer: "" });
      // @ts-expect-error: a class is no any.
      export const broker = new LocalBroker({});
      // @ts-expect-error: not exported.
      export { Pool } from "snowflake-broker/dist/broker/pool.js";
      `,
    );
  });
});

test("the packed command starts", async () => {
  const launcher = "node_modules/snowflake-broker/bin/snowflake-broker.js";
  expect(await run([launcher, "--version"], consumer)).toStartWith("snowflake-broker ");
});
