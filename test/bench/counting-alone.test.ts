import { expect, test } from "bun:test";
import { join } from "node:path";

const PROGRAM = join(import.meta.dir, "../../bench/counting-alone.ts");

async function run(mode: string) {
  const child = Bun.spawn([process.execPath, PROGRAM, mode], {
    stdio: ["ignore", "pipe", "pipe"],
    env: process.env,
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, output, errors };
}

test("matches of a broker that counts everything have a cost", async () => {
  const { exitCode, output } = await run("counting");
  expect(exitCode).toBe(0);
  expect(Number(output)).toBeWithin(0.1, 10_000);
});

test("a broker that there is none of", async () => {
  const { exitCode, errors } = await run("nope");
  expect(exitCode).toBe(1);
  expect(errors).toContain("none of uncounted, ours, counting");
});
