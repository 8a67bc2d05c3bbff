/** Clients that imitate the TLS of browsers, as Snowflake's own do with `utls-imitate`. */

import { expect, test } from "bun:test";
import { join } from "node:path";

import { KEY_KINDS, makeTlsFlags } from "../../bench/tls-flags.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess } from "../kit/broker-process.ts";
import { describeUnless } from "./programs.ts";

const PROGRAM = join(import.meta.dir, "imitations");
/** Imitations that offer no ALPN. */
const WITHOUT_ALPN = new Set(["Randomized-NoALPN-0", "Android-11"]);
const REPLIES = Array.from({ length: 3 }, () => '{"error":"no_supplied_offer"}').join(" ");

const offline = { ...process.env, GOPROXY: "off" };

/** What has to be there before the program can be built. */
function needs(): string | undefined {
  if (Bun.which("go") === null) return "go (apt-get install golang-go)";
  const { success } = Bun.spawnSync(["go", "list", "-deps", "."], { cwd: PROGRAM, env: offline });
  return success ? undefined : "Go modules (cd test/tls/imitations && go mod download)";
}

describeUnless(needs(), "imitations of browsers", () => {
  test.each(KEY_KINDS)(
    "all are served, with a certificate of kind %s",
    async (kind) => {
      using directory = temporaryDirectory();
      const binary = join(directory.path, "imitations");
      const build = Bun.spawn(["go", "build", "-o", binary, "."], { cwd: PROGRAM, env: offline });
      expect(await build.exited).toBe(0);
      using tls = makeTlsFlags(kind);
      await using broker = await BrokerProcess.start("--disable-tls=false", ...tls.transport);
      const client = Bun.spawn([binary, new URL(broker.url).host], { stdout: "pipe" });
      const lines = (await client.stdout.text()).trim().split("\n");
      expect(lines).toHaveLength(40);
      for (const line of lines) {
        const name = line.split(" ")[0] ?? "";
        const protocol = WITHOUT_ALPN.has(name) ? "none" : "h2";
        expect(line).toMatch(
          new RegExp(`^${RegExp.escape(name)} (un)?named TLS1.[23] ${protocol} `),
        );
        expect(line).toEndWith(` ${REPLIES}`);
      }
    },
    180_000,
  );
});
