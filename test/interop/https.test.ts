import { afterEach, beforeEach, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:tls";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { describeWithPeers, PEERS, TEST_TIMEOUT } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { createTestCa } from "./test-ca.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

/** What Go's HTTP client offers by ALPN, in this order. */
const PROTOCOLS_OF_GO = ["h2", "http/1.1"];

describeWithPeers("https", [...PEERS, "openssl"], () => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test(
    "a client and a proxy matched over TLS carry bytes to the relay and back",
    async () => {
      const ca = stage.use(createTestCa());
      const { authorityFile } = ca;
      const relay = stage.use(startWebSocketRelay());
      const { url: stunUrl } = stage.use(await startStunServer());
      const { url: brokerUrl } = stage.use(await startBroker(relay.url, { ca }));

      stage.use(
        startSnowflakeProxy({ program: "snowflake-proxy", brokerUrl, stunUrl, authorityFile }),
      );
      await proxyWaiting(brokerUrl, ca);
      const client = stage.use(
        await startSnowflakeClient({
          program: "snowflake-client",
          brokerUrl,
          stunUrl,
          authorityFile,
        }),
      );
      await expectBytesBothWays(stage.use(await client.connect()), relay);
    },
    TEST_TIMEOUT,
  );

  test("the TLS port chooses HTTP/2 for a peer that offers what Go offers", async () => {
    const ca = stage.use(createTestCa());
    const broker = stage.use(await startBroker("ws://127.0.0.1:1/", { ca }));
    const { hostname, port } = new URL(broker.url);
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: await Bun.file(ca.authorityFile).text(),
      ALPNProtocols: PROTOCOLS_OF_GO,
    });
    stage.defer(() => void socket.destroy());
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("h2");
  });
});
