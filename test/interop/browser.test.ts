import { afterEach, beforeEach, expect, test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { startBrowserProxy } from "./browser-proxy.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { describeWithPeers, TEST_TIMEOUT } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { startStunServer } from "./stun-server.ts";
import { createTestCa } from "./test-ca.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

const PROGRAMS = ["chromium", "snowflake-client", "turnserver", "openssl"] as const;

describeWithPeers("browser", PROGRAMS, () => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test.each([
    { transport: "plain HTTP", tls: false },
    { transport: "TLS", tls: true },
  ])(
    "a proxy in a browser, over $transport, carries bytes from a client to the relay and back",
    async ({ tls }) => {
      const ca = tls ? stage.use(createTestCa()) : undefined;
      const relay = stage.use(startWebSocketRelay());
      const { url: stunUrl } = stage.use(await startStunServer());
      const { url: brokerUrl } = stage.use(await startBroker(relay.url, { ca }));

      stage.use(await startBrowserProxy({ brokerUrl, stunUrl }));
      expect(await proxyWaiting(brokerUrl, ca)).toContain("webext proxies: 1");
      const client = stage.use(
        await startSnowflakeClient({
          program: "snowflake-client",
          brokerUrl,
          stunUrl,
          ...(ca === undefined ? {} : { authorityFile: ca.authorityFile }),
        }),
      );
      await expectBytesBothWays(stage.use(await client.connect()), relay);
    },
    TEST_TIMEOUT,
  );
});
