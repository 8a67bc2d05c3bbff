import { afterEach, beforeEach, test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { describeWithPeers, PEERS, TEST_TIMEOUT } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

describeWithPeers("http", PEERS, () => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test(
    "a client and a proxy matched over plain HTTP carry bytes to the relay and back",
    async () => {
      const relay = stage.use(startWebSocketRelay());
      const { url: stunUrl } = stage.use(await startStunServer());
      const { url: brokerUrl } = stage.use(await startBroker(relay.url));

      stage.use(startSnowflakeProxy({ program: "snowflake-proxy", brokerUrl, stunUrl }));
      await proxyWaiting(brokerUrl);
      const client = stage.use(
        await startSnowflakeClient({ program: "snowflake-client", brokerUrl, stunUrl }),
      );
      await expectBytesBothWays(stage.use(await client.connect()), relay);
    },
    TEST_TIMEOUT,
  );
});
