import { test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import type { ChildProcess } from "./child-process.ts";
import { startOwnAddress } from "./own-address.ts";
import { describeWithNewestPeers } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { newestProxyFlags, startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

const PROXIES = 3;
const CLIENTS = 20;
/** The poll interval that a broker has by default, in ms. */
const POLL_INTERVAL = 20_000;

describeWithNewestPeers("frozen-proxy", ["turnserver"], ({ client: program, proxy }) => {
  test(`${CLIENTS} clients all connect at once, though one of ${PROXIES} proxies is frozen`, async () => {
    await using stage = new AsyncDisposableStack();
    const relay = stage.use(startWebSocketRelay());
    const { url: stunUrl } = stage.use(await startStunServer());
    const broker = stage.use(await startBroker(relay.url, { pollInterval: POLL_INTERVAL }));

    const proxies: ChildProcess[] = [];
    for (let volunteer = 1; volunteer <= PROXIES; volunteer++) {
      const { url: brokerUrl } = stage.use(
        await startOwnAddress(broker.url, `127.0.1.${volunteer}`),
      );
      const flags = newestProxyFlags(relay.url);
      proxies.push(stage.use(startSnowflakeProxy({ program: proxy, brokerUrl, stunUrl, flags })));
      await proxyWaiting(broker.url, undefined, volunteer);
    }
    // Whoever has waited longest gets the first client.
    proxies[0]?.freeze();

    for (let client = 1; client <= CLIENTS; client++) {
      await using snowflakeClient = await startSnowflakeClient({
        program,
        brokerUrl: broker.url,
        stunUrl,
      });
      // Its first byte has 5 s. A client that the broker has failed makes its next offer after 10 s.
      await expectBytesBothWays(stage.use(await snowflakeClient.connectAtOnce()), relay);
    }
  }, 60_000);
});
