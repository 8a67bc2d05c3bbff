import { afterEach, beforeEach, expect, test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { describeWithNewestPeers } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { newestProxyFlags, startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startSnowflakeServer } from "./snowflake-server.ts";
import { startStunServer } from "./stun-server.ts";

const ONE_MEBIBYTE = 1024 * 1024;

describeWithNewestPeers("newest-peers", ["turnserver"], ({ client, proxy, server }) => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test("a mebibyte goes to upstream's server and back intact", async () => {
    const { url: relayUrl } = stage.use(await startSnowflakeServer(server));
    const { url: stunUrl } = stage.use(await startStunServer());
    const { url: brokerUrl } = stage.use(await startBroker(relayUrl));

    const flags = newestProxyFlags(relayUrl);
    stage.use(startSnowflakeProxy({ program: proxy, brokerUrl, stunUrl, flags }));
    await proxyWaiting(brokerUrl);
    const snowflakeClient = stage.use(
      await startSnowflakeClient({ program: client, brokerUrl, stunUrl }),
    );
    const connection = stage.use(await snowflakeClient.connect());

    const sent = Buffer.alloc(ONE_MEBIBYTE);
    for (let at = 0; at < sent.length; at += 65_536) {
      crypto.getRandomValues(sent.subarray(at, at + 65_536));
    }
    connection.write(sent);
    const received = await connection.read(sent.length, 30_000);
    expect(Bun.hash(received)).toBe(Bun.hash(sent));
  }, 60_000);
});
