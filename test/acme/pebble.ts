/** Let's Encrypt's test server Pebble, with a name server that leads every host name to this machine. */

import { join } from "node:path";

import { ChildProcess } from "../interop/child-process.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { createTestCa } from "../interop/test-ca.ts";
import { until } from "../interop/waiting.ts";
import { freePort } from "../kit/free-port.ts";

export interface PebbleOptions {
  /** Where host names are proved over HTTP-01, on 127.0.0.1. */
  readonly httpPort: number;
  /** Seconds that its certificates are good for. */
  readonly validity?: number;
  /** How many of a hundred good nonces are refused. */
  readonly refusedNonces?: number;
  /** How many of a hundred host names that were proved need no new proof. */
  readonly rememberedProofs?: number;
}

export interface Pebble extends AsyncDisposable {
  /** URL of its directory. It gives nobody a certificate for `blocked.example`. */
  readonly directory: string;
  /** The root that its own HTTPS port is certified by: a PEM file. */
  readonly authorityFile: string;
  /** The root of the certificates that it issues, PEM. */
  issuer(): Promise<string>;
  /** Leads a host name to an address where nobody proves anything. */
  leadAway(hostname: string): Promise<void>;
}

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const stage = new AsyncDisposableStack();
  try {
    const ca = stage.use(createTestCa());
    const directory = stage.use(temporaryDirectory());
    const port = freePort();
    const management = freePort();
    const dns = freePort();
    const names = freePort();

    const config = join(directory.path, "pebble.json");
    await Bun.write(
      config,
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${port}`,
          managementListenAddress: `127.0.0.1:${management}`,
          certificate: ca.certFile,
          privateKey: ca.keyFile,
          httpPort: options.httpPort,
          tlsPort: 1,
          domainBlocklist: ["blocked.example"],
          certificateValidityPeriod: options.validity ?? 86_400,
        },
      }),
    );
    const nameServer = stage.use(
      new ChildProcess([
        "pebble-challtestsrv",
        ...["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""],
        ...["-dns01", `127.0.0.1:${dns}`, "-management", `127.0.0.1:${names}`],
      ]),
    );
    const pebble = stage.use(
      new ChildProcess(["pebble", "-config", config, "-dnsserver", `127.0.0.1:${dns}`], {
        env: {
          PEBBLE_VA_NOSLEEP: "1",
          PEBBLE_WFE_NONCEREJECT: String(options.refusedNonces ?? 0),
          PEBBLE_AUTHZREUSE: String(options.rememberedProofs ?? 0),
        },
      }),
    );
    await Promise.all([
      nameServer.line(/Starting management server/),
      pebble.line(/ACME directory available at/),
    ]);
    // Both say so before they listen.
    const tls = { ca: await Bun.file(ca.authorityFile).text() };
    const url = `https://127.0.0.1:${port}/dir`;
    for (const place of [url, `http://127.0.0.1:${names}/`]) {
      await until(10_000, `answer from ${place}`, () =>
        fetch(place, { tls }).then(
          ({ status }) => status,
          () => undefined,
        ),
      );
    }

    return {
      directory: url,
      authorityFile: ca.authorityFile,
      issuer: async () => (await fetch(`https://127.0.0.1:${management}/roots/0`, { tls })).text(),
      async leadAway(hostname) {
        const { ok } = await fetch(`http://127.0.0.1:${names}/add-a`, {
          method: "POST",
          body: JSON.stringify({ host: `${hostname}.`, addresses: ["127.0.0.2"] }),
        });
        if (!ok) throw new Error("the name server does not take an address");
      },
      [Symbol.asyncDispose]: () => stage.disposeAsync(),
    };
  } catch (error) {
    await stage.disposeAsync();
    throw error;
  }
}
