/**
 * HAProxy and nginx in front as load balancers that pass bytes through: they tell the broker in PROXY headers who its
 * peers are.
 */

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { parsePollReply } from "../conformance/peers.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess, untilHolds } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { ServerProcess } from "../kit/server-process.ts";
import { describeWithPrograms, NGINX_STREAM_MODULE, type Program } from "../tls/programs.ts";
import { startTlsBroker } from "../tls/tls-broker.ts";

const MESSAGE = JSON.stringify({
  Sid: "s",
  Version: "1.3",
  Type: "standalone",
  NAT: "unrestricted",
  Clients: 0,
  AcceptedRelayPattern: "snowflake.torproject.net$",
});
/** A poll. Its header field is a lie that nobody may believe. */
const POLL = `POST /proxy HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\nContent-Length: ${MESSAGE.length}\r\n\r\n${MESSAGE}`;
const DEBUG = "GET /debug HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

interface Asked extends Disposable {
  /** The body of the reply, when the connection has ended. */
  readonly body: Promise<string>;
}

/** Sends a request from an address of the loopback interface. */
function ask(request: string, port: number, isTls: boolean, localAddress: string): Asked {
  const socket = connectSocket({ host: "127.0.0.1", port, localAddress });
  const stream = isTls ? connectTls({ socket, rejectUnauthorized: false }) : socket;
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  stream.on("data", (bytes) => (received += bytes.toString("latin1")));
  stream.on("error", () => {});
  stream.on("close", () => resolve(received.split("\r\n\r\n")[1] ?? ""));
  stream.write(request);
  return { body: promise, [Symbol.dispose]: () => void socket.destroy() };
}

interface Front {
  readonly name: string;
  readonly programs: readonly Program[];
  readonly command: (configuration: string) => readonly string[];
  readonly configure: (directory: string, port: number, broker: number, send: string) => string;
  /** How its configuration says that it sends PROXY headers. */
  readonly sends: readonly string[];
}

const FRONTS: readonly Front[] = [
  {
    name: "HAProxy",
    programs: ["haproxy"],
    command: (configuration) => ["haproxy", "-db", "-f", configuration],
    configure: (_, port, broker, send) => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend broker
backend broker
  server one 127.0.0.1:${broker} ${send} check inter 200ms
`,
    sends: ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"],
  },
  {
    name: "nginx",
    programs: ["nginx", NGINX_STREAM_MODULE],
    command: (configuration) => ["nginx", "-c", configuration, "-e", "stderr"],
    configure: (directory, port, broker, send) => `
load_module ${NGINX_STREAM_MODULE};
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr;
events {}
stream {
  server {
    listen 127.0.0.1:${port};
    proxy_pass 127.0.0.1:${broker};
    proxy_timeout 60s;
    ${send}
  }
}
`,
    sends: ["proxy_protocol on;"],
  },
];

for (const { name, programs, command, configure, sends } of FRONTS) {
  describeWithPrograms(`${name} in front`, programs, () => {
    test.concurrent.each(
      sends.flatMap((send) => [[send, "plain"] as const, [send, "TLS"] as const]),
    )(
      "with %s, %s: the poll limit goes by the peer's address",
      async (send, transport) => {
        await using stage = new AsyncDisposableStack();
        const flags = ["--proxy-protocol", "--trusted-hops=0"];
        const isTls = transport === "TLS";
        const broker = isTls
          ? stage.use(await startTlsBroker(...flags)).broker
          : stage.use(await BrokerProcess.start(...flags));
        const { path } = stage.use(temporaryDirectory());
        const configuration = join(path, "configuration");
        const port = freePort();
        writeFileSync(configuration, configure(path, port, Number(new URL(broker.url).port), send));
        const front = stage.use(new ServerProcess(command(configuration)));
        await front.accepting(port);

        const askFrom = (request: string, from: string) =>
          stage.use(ask(request, port, isTls, from)).body;
        const untilWaiting = (count: number) =>
          untilHolds(`${count} polls that wait`, async () =>
            (await askFrom(DEBUG, "127.0.0.1")).startsWith(
              `current snowflakes available: ${count}\n`,
            ),
          );
        void askFrom(POLL, "127.0.0.2");
        await untilWaiting(1);
        expect(parsePollReply(await askFrom(POLL, "127.0.0.2")).status).toBe("polled too soon");
        void askFrom(POLL.replace('"Sid":"s"', '"Sid":"t"'), "127.0.0.3");
        await untilWaiting(2);

        // HAProxy's own connections, which look whether the broker lives, have headers too.
        const metrics = await askFrom(
          "GET /prometheus HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "127.0.0.1",
        );
        expect(metrics).toInclude('connection_bounds_total{bound="proxy-header"} 0\n');
        expect(front.log).not.toInclude("is DOWN");
      },
      60_000,
    );
  });
}
