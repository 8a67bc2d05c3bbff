/** A volunteer's proxy in a real browser: a page of the tests in headless Chromium. */

import { join } from "node:path";

import { chromium } from "playwright-core";

const PAGE = join(import.meta.dir, "browser-proxy.html");

const FLAGS = [
  // As root, where many tests run, Chromium starts without a sandbox only.
  ...["--no-sandbox", "--disable-gpu"],
  // Candidates on loopback, by their addresses: there is no other network, and no mDNS in it.
  "--allow-loopback-in-peer-connection",
  "--disable-features=WebRtcHideLocalIpsWithMdns",
];

export interface BrowserProxyOptions {
  readonly brokerUrl: string;
  readonly stunUrl: string;
}

/** Starts the browser and opens the page, which polls from then on. What goes wrong in the page is printed. */
export async function startBrowserProxy(options: BrowserProxyOptions): Promise<AsyncDisposable> {
  await using stage = new AsyncDisposableStack();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: () => new Response(Bun.file(PAGE)),
  });
  stage.defer(() => server.stop(true));
  const browser = await chromium.launch({
    executablePath: Bun.which("chromium") ?? "/usr/bin/chromium",
    args: FLAGS,
  });
  stage.defer(() => browser.close());
  // The certificate of a test's broker is by an authority that no browser knows.
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  page.on("console", (message) => console.error(`browser: ${message.text()}`));
  page.on("pageerror", (error) => console.error(`browser: ${error.message}`));
  const { brokerUrl: broker, stunUrl: stun } = options;
  await page.goto(`${server.url.href}?${new URLSearchParams({ broker, stun }).toString()}`);
  const running = stage.move();
  return { [Symbol.asyncDispose]: () => running.disposeAsync() };
}
