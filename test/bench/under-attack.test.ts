/** The benchmarks of storms and sieges, with few peers. */

import { expect, test } from "bun:test";
import { join } from "node:path";

import { describeWithPrograms } from "../tls/programs.ts";

async function run(name: string, ...args: string[]) {
  const program = join(import.meta.dir, `../../bench/${name}.ts`);
  const child = Bun.spawn([process.execPath, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, SNOWFLAKE_UPSTREAM_BROKER: undefined, SNOWFLAKE_PEERS_DIR: undefined },
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, output, errors };
}

test.each(["storm", "siege"])("%s: --help, and a rival that is none of its own", async (name) => {
  const { exitCode, output } = await run(name, "--help");
  expect(exitCode).toBe(0);
  for (const option of ["against", "peers", "tls"]) expect(output).toContain(`--${option} `);
  expect(await run(name, "--against", "go-floor")).toMatchObject({
    exitCode: 2,
    errors: "--against: only upstream and previous=DIR\n",
  });
});

describeWithPrograms("with a broker", ["openssl"], () => {
  test("a storm is served", async () => {
    const { output, errors } = await run("storm", "--peers", "30");
    expect(errors).toBe("");
    expect(output).toMatch(/^ours +30 .* 0$/m);
  }, 30_000);

  test.each([
    ["plain", []],
    ["over TLS", ["--tls", "p256"]],
  ])(
    "a siege, %s: honest peers are served in every phase",
    async (_, flags) => {
      const { output, errors } = await run("siege", "--peers", "40", "--seconds", "2", ...flags);
      expect(errors).toBe("");
      for (const phase of ["quiet", "settling", "under siege"])
        expect(output).toMatch(
          new RegExp(`^${phase} +[\\d.]+ +[\\d.]+ +[\\d.]+ +[\\d.]+ +0 `, "m"),
        );
    },
    60_000,
  );
});
