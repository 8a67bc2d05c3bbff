import { afterEach, beforeEach, test } from "bun:test";

import { brokerFiles, proxyWaiting, ROOT } from "./broker-process.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { startChild } from "./child-process.ts";
import { describeWithPeers, PEERS, TEST_TIMEOUT } from "./peers.ts";
import { startSnowflakeClientByShell } from "./snowflake-client.ts";
import { startSnowflakeProxyByShell } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

describeWithPeers("npm-start", PEERS, () => {
  let stage: AsyncDisposableStack;
  beforeEach(() => {
    stage = new AsyncDisposableStack();
  });
  afterEach(() => stage.disposeAsync());

  test(
    "the commands that a new broker prints connect a proxy and a client",
    async () => {
      const relay = stage.use(startWebSocketRelay());
      const directory = stage.use(temporaryDirectory());
      const files = await brokerFiles(directory.path, relay.url);
      const { child, match } = await startChild(
        ["npm", "start", "--", "--addr", "127.0.0.1:0", ...files],
        /^proxy: +(.*-broker (\S+) .*-stun stun:\S+:(\d+).*)$/,
        { cwd: ROOT, env: { npm_config_update_notifier: "false" } },
      );
      stage.use(child);
      const [, proxyLine = "", brokerUrl = "", stunPort] = match;
      const [, clientLine = ""] = await child.line(/^client: +(.*)$/);

      stage.use(await startStunServer(Number(stunPort)));
      // The printed line is for the default bridge, which has TLS; the relay of this test has none.
      stage.use(startSnowflakeProxyByShell(`${proxyLine} -allow-non-tls-relay`));
      await proxyWaiting(brokerUrl);
      const client = stage.use(await startSnowflakeClientByShell(clientLine));
      await expectBytesBothWays(stage.use(await client.connect()), relay);
    },
    TEST_TIMEOUT,
  );
});
