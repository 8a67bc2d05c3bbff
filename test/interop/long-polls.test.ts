/** A poll may wait for longer than the 10 s of the Go broker: real proxies of all kinds answer what comes after 25 s. */

import { test } from "bun:test";

import { proxyWaiting, startBroker } from "./broker-process.ts";
import { startBrowserProxy } from "./browser-proxy.ts";
import { expectBytesBothWays } from "./carry-bytes.ts";
import { describeWithNewestPeers, describeWithPeers, PEERS } from "./peers.ts";
import { startSnowflakeClient } from "./snowflake-client.ts";
import { newestProxyFlags, startSnowflakeProxy } from "./snowflake-proxy.ts";
import { startStunServer } from "./stun-server.ts";
import { createTestCa } from "./test-ca.ts";
import { startWebSocketRelay } from "./websocket-relay.ts";

/** After how many ms the client comes: it has 3 s more until the poll ends. */
const CLIENT_COMES = 25_000;
/** Of one test, in ms. */
const TIMEOUT = 45_000;

/**
 * No poll of the same address is let in before the interval is over, so the client is matched with the proxy's first poll
 * or with none. A client that asks before it knows its NAT type is denied at once and asks again.
 */
const ONE_POLL = {
  pollInterval: 60_000,
  flags: ["--adaptive-poll-interval=false", "--proxy-wait", "28s", "--client-wait", "0s"],
};

interface Surroundings {
  readonly brokerUrl: string;
  readonly stunUrl: string;
  readonly relayUrl: string;
  readonly authorityFile: string;
}

/** A kind of proxy, polling over TLS as in the field, and the client that comes late. */
interface Scene {
  /** The client's program. */
  readonly client: string;
  readonly split: boolean;
  readonly startProxy: (surroundings: Surroundings) => AsyncDisposable | Promise<AsyncDisposable>;
}

async function expectLateMatch({ client: program, split, startProxy }: Scene): Promise<void> {
  await using stage = new AsyncDisposableStack();
  const ca = stage.use(createTestCa());
  const { authorityFile } = ca;
  const relay = stage.use(startWebSocketRelay());
  const { url: stunUrl } = stage.use(await startStunServer());
  const { url: brokerUrl } = stage.use(await startBroker(relay.url, { ca, split, ...ONE_POLL }));
  const client = stage.use(
    await startSnowflakeClient({ program, brokerUrl, stunUrl, authorityFile }),
  );

  stage.use(await startProxy({ brokerUrl, stunUrl, relayUrl: relay.url, authorityFile }));
  await proxyWaiting(brokerUrl, ca);
  await Bun.sleep(CLIENT_COMES);
  await expectBytesBothWays(stage.use(await client.connect()), relay);
}

describeWithPeers("long-polls", [...PEERS, "openssl"], () => {
  test.concurrent.each([
    { brokers: "one process", split: false },
    { brokers: "a core and an http-frontend", split: true },
  ])(
    "Debian's proxy answers an offer after 25 s, at $brokers",
    ({ split }) =>
      expectLateMatch({
        client: "snowflake-client",
        split,
        startProxy: (surroundings) =>
          startSnowflakeProxy({ program: "snowflake-proxy", ...surroundings }),
      }),
    TIMEOUT,
  );
});

describeWithPeers(
  "long-polls-browser",
  ["snowflake-client", "chromium", "turnserver", "openssl"],
  () => {
    test.concurrent(
      "a proxy in a browser answers an offer after 25 s",
      () =>
        expectLateMatch({
          client: "snowflake-client",
          split: false,
          startProxy: startBrowserProxy,
        }),
      TIMEOUT,
    );
  },
);

describeWithNewestPeers("long-polls-newest", ["turnserver", "openssl"], ({ client, proxy }) => {
  test.concurrent(
    "the newest proxy answers an offer after 25 s",
    () =>
      expectLateMatch({
        client,
        split: false,
        startProxy: (surroundings) => {
          const flags = newestProxyFlags(surroundings.relayUrl);
          return startSnowflakeProxy({ program: proxy, ...surroundings, flags });
        },
      }),
    TIMEOUT,
  );
});
