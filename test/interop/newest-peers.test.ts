import { afterEach, beforeEach, expect, test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { describeWithNewestPeers } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startSnowflakeServer } from "./snowflake-server.ts";
import { startStunServer } from "./stun-server.ts";

/** A relay on loopback is refused without the first; the second is the NAT probe, at which nobody is. */
const PROXY_FLAGS = [
  "-allow-proxying-to-private-addresses",
  ...["-nat-probe-server", "http://127.0.0.1:9/probe"],
];
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

    // Since 2.12 a proxy polls only when the relay of this flag answers it.
    const flags = [...PROXY_FLAGS, "-relay", relayUrl];
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
