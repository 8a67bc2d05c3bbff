import { expect, test } from "bun:test";
import { join } from "node:path";

async function run(...args: string[]) {
  const program = join(import.meta.dir, "../../bench/fuzz.ts");
  const child = Bun.spawn([process.execPath, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, output, errors };
}

test("--help names every option", async () => {
  const { exitCode, output } = await run("--help");
  expect(exitCode).toBe(0);
  for (const name of ["minutes", "target", "seed", "path"]) expect(output).toContain(`--${name} `);
});

test("a path is for one target and one seed", async () => {
  expect(await run("--path", "0", "--seed", "1")).toMatchObject({
    exitCode: 2,
    errors: "--path needs --target and --seed\n",
  });
});

test.each(["http1", "http2", "proxy"])(
  "a case of %s that does not fail any more",
  async (target) => {
    expect(await run("--target", target, "--seed", "1", "--path", "5")).toEqual({
      exitCode: 0,
      output: `${target}: from seed 1\n${target}: nothing failed\n`,
      errors: "",
    });
  },
);
