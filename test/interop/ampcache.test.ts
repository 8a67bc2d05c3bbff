import { afterEach, beforeEach, expect, test } from "bun:test";

import { CACHE_DOMAIN, startAmpCache } from "./amp-cache.ts";
import { proxyWaiting, startBroker } from "./broker-process.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { describeWithPeers, PEERS, TEST_TIMEOUT } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

/** The broker as clients know it. There is no such host: only the cache can reach it. */
const BROKER_HOST = "broker.example";

describeWithPeers("ampcache", PEERS, () => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test(
    "a client behind an AMP cache and a proxy carry bytes to the relay and back",
    async () => {
      const relay = stage.use(startWebSocketRelay());
      const { url: stunUrl } = stage.use(await startStunServer());
      const { url: brokerUrl } = stage.use(await startBroker(relay.url));
      const cache = stage.use(startAmpCache(new Map([[BROKER_HOST, new URL(brokerUrl)]])));

      stage.use(startSnowflakeProxy({ program: "snowflake-proxy", brokerUrl, stunUrl }));
      await proxyWaiting(brokerUrl);
      const client = stage.use(
        await startSnowflakeClient({
          program: "snowflake-client",
          brokerUrl: `https://${BROKER_HOST}/`,
          stunUrl,
          flags: ["-ampcache", `http://${CACHE_DOMAIN}/`, "-front", cache.front],
        }),
      );
      await expectBytesBothWays(stage.use(await client.connect()), relay);
      expect(cache.pages).toBeGreaterThan(0);
    },
    TEST_TIMEOUT,
  );
});
