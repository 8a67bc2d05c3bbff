/** The files of deploy/ for a cluster on three machines, with the addresses of this one. */

import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { describeWithNats, NatsServer } from "../kit/nats-server.ts";
import { makeTlsFiles } from "../tls/made-certificate.ts";
import { describeWithPrograms } from "../tls/programs.ts";

const DEPLOY = join(import.meta.dir, "../../deploy");

/** Replaces a text that has to be there. */
function replaced(text: string, pairs: readonly (readonly [string, string])[]): string {
  for (const [old] of pairs) expect(text).toContain(old);
  return pairs.reduce((changed, [old, now]) => changed.replaceAll(old, now), text);
}

describeWithNats("deploy/nats.conf", () => {
  test("makes one bus of three servers, with a broker at each", async () => {
    using directory = temporaryDirectory();
    const file = (name: string, text: string) => {
      const path = join(mkdtempSync(join(directory.path, "own-")), name);
      writeFileSync(path, text);
      return path;
    };
    // One certificate for all three names, which are one, and which is its own authority.
    const { cert, key } = makeTlsFiles(["localhost"]);
    const [pem, keyFile] = [file("route.pem", cert), file("route.key", key)];
    const secret = file("cluster.key", "0123456789abcdef0123456789abcdef");
    const user = file("cluster.user", "broker:change-me\n");
    const routes = [freePort(), freePort(), freePort()];
    await using stack = new AsyncDisposableStack();
    const brokers: BrokerProcess[] = [];
    for (const [index, route] of routes.entries()) {
      const port = freePort();
      const names = routes.map(
        (other, i) => [`broker-${i + 1}.example.org:6222`, `localhost:${other}`] as const,
      );
      const conf = replaced(readFileSync(join(DEPLOY, "nats.conf"), "utf8"), [
        ["server_name: broker-1", `server_name: broker-${index + 1}`],
        ["127.0.0.1:4222", `127.0.0.1:${port}`],
        ["0.0.0.0:6222", `127.0.0.1:${route}`],
        ...names,
        ["/etc/nats/route.pem", pem],
        ["/etc/nats/route.key", keyFile],
        ["/etc/nats/route-ca.pem", pem],
      ]);
      const server = stack.use(
        await NatsServer.start([`--config=${file("nats.conf", conf)}`], port),
      );
      const args = [`--cluster=${server.url}`, `--cluster-secret=${secret}`];
      const broker = await BrokerProcess.start(...args, `--cluster-credentials=${user}`);
      brokers.push(stack.use(broker));
    }
    for (const broker of brokers) {
      await untilHolds("three nodes", async () => {
        const text = await fetch(`${broker.url}prometheus`).then((r) => r.text());
        return text.includes("\nsnowflake_cluster_nodes 3\n");
      });
    }
  }, 30_000);
});

describeWithPrograms("deploy/haproxy.cfg", ["haproxy"], () => {
  test("is one that HAProxy takes", () => {
    const run = Bun.spawnSync(["haproxy", "-c", "-f", join(DEPLOY, "haproxy.cfg")]);
    expect(run.stdout.toString() + run.stderr.toString()).toContain("Configuration file is valid");
    expect(run.exitCode).toBe(0);
  });
});
