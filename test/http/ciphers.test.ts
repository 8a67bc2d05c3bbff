/** Which cipher a handshake ends with. */

import { expect, test } from "bun:test";
import { connect as connectSocket } from "node:net";
import { connect } from "node:tls";

import { HttpServer, NO_CONNECTION_EVENTS } from "../../src/http/server.ts";
import { makeTlsFiles } from "../tls/made-certificate.ts";
import { describeWithPrograms } from "../tls/programs.ts";
import { line } from "./proxy-protocol/headers.ts";

/** What a peer offers, the most wanted first, and the cipher that it gets; undefined: none. */
const OFFERS = [
  { offered: "CHACHA20-POLY1305 AES256-GCM-SHA384 AES128-GCM-SHA256", chosen: "AES128-GCM-SHA256" },
  { offered: "CHACHA20-POLY1305 AES256-SHA", chosen: "CHACHA20-POLY1305" },
  { offered: "AES128-SHA", chosen: "AES128-SHA" },
];

/** The ciphers of TLS 1.2 whose key exchange is RSA: they have no forward secrecy. */
const RSA_KEY_EXCHANGE = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA"];

async function cipherFor(
  port: number,
  proxyProtocol: boolean,
  ciphers: string,
): Promise<string | undefined> {
  const socket = connectSocket({ host: "127.0.0.1", port });
  if (proxyProtocol) socket.write(line("UNKNOWN"));
  const tls = connect({ socket, rejectUnauthorized: false, maxVersion: "TLSv1.2", ciphers });
  try {
    return await new Promise((resolve) => {
      tls.once("secureConnect", () => resolve(tls.getCipher().name));
      tls.once("error", () => resolve(undefined));
      tls.once("close", () => resolve(undefined));
    });
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

describeWithPrograms("ciphers of TLS 1.2", ["openssl"], () => {
  const keys = [
    { kind: "ECDSA", key: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] },
    { kind: "RSA", key: ["-newkey", "rsa:2048"] },
  ];
  const ways = keys.flatMap((key) =>
    [false, true].map((proxyProtocol) => ({ ...key, proxyProtocol })),
  );

  test.each(ways)(
    "$kind, PROXY header: $proxyProtocol: ours is chosen, and it is forward secret, before and after a change of certificate",
    async ({ kind, key, proxyProtocol }) => {
      const server = new HttpServer({
        ...{ hostname: "127.0.0.1", port: 0, sharePort: false, maxConnections: 100, proxyProtocol },
        tls: makeTlsFiles(["a.example"], { key }),
        handler: (_, exchange) => exchange.fail(new Error("nobody asks")),
        fields: new Set(),
        onBug: () => {},
        events: NO_CONNECTION_EVENTS,
      });
      try {
        for (let certificates = 1; certificates <= 2; certificates++) {
          for (const { offered, chosen } of OFFERS) {
            const ciphers = offered.split(" ").map((cipher) => `ECDHE-${kind}-${cipher}`);
            expect(await cipherFor(server.port, proxyProtocol, ciphers.join(":"))).toBe(
              `ECDHE-${kind}-${chosen}`,
            );
          }
          for (const cipher of RSA_KEY_EXCHANGE)
            expect(await cipherFor(server.port, proxyProtocol, cipher)).toBeUndefined();
          server.replaceCertificate(makeTlsFiles(["b.example"], { key }));
        }
      } finally {
        await server.stop(0);
      }
    },
  );
});
