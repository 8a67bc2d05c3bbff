/** nginx and HAProxy in front, as operators have them: their connections to the broker are kept. */

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { RawConnection } from "../frontend/http/raw-http.ts";
import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess } from "../kit/broker-process.ts";
import { freePort } from "../kit/free-port.ts";
import { ServerProcess } from "../kit/server-process.ts";
import { connectionsOf } from "../kit/tcp-connections.ts";
import { describeWithPrograms, type Program } from "../tls/programs.ts";

/** Seconds for which the reverse proxy keeps an idle connection to the broker: here 600 s are four. */
const KEPT = 4;

/** Seconds for which a peer waits before its next request: 33, 61 and 300 are less than one, and more than that. */
const PAUSES = [0.3, 1, 2.5, KEPT + 1.5];

interface Front {
  readonly program: Program;
  readonly command: (configuration: string) => readonly string[];
  readonly configure: (directory: string, port: number, broker: number) => string;
}

const FRONTS: readonly Front[] = [
  {
    program: "nginx",
    command: (configuration) => ["nginx", "-c", configuration, "-e", "stderr"],
    configure: (directory, port, broker) => `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream broker { server 127.0.0.1:${broker}; keepalive 16; keepalive_timeout ${KEPT}s; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://broker;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_next_upstream off;
    }
  }
}
`,
  },
  {
    program: "haproxy",
    command: (configuration) => ["haproxy", "-db", "-f", configuration],
    configure: (_, port, broker) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 0
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  option forwardfor
  default_backend broker
backend broker
  server one 127.0.0.1:${broker} pool-purge-delay ${KEPT}s
`,
  },
];

for (const { program, command, configure } of FRONTS) {
  describeWithPrograms(`${program} in front`, [program], () => {
    test.concurrent(
      "keeps its connections to the broker, and loses no POST, however long it idles",
      async () => {
        // Ours keeps them longer, as 620 s is longer than 600.
        await using broker = await BrokerProcess.start(`--idle-timeout=${KEPT + 2}s`);
        const brokerPort = Number(new URL(broker.url).port);
        using directory = temporaryDirectory();
        const port = freePort();
        const configuration = join(directory.path, "configuration");
        writeFileSync(configuration, configure(directory.path, port, brokerPort));
        await using front = new ServerProcess(command(configuration));
        await front.accepting(port);

        const ask = async () => {
          const connection = await RawConnection.open(port);
          connection.send("POST /client HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n1.0\n{}");
          const response = await connection.response();
          connection.end();
          return response?.body;
        };
        const used = new Set<string>();
        for (const pause of [0, ...PAUSES]) {
          await Bun.sleep(pause * 1_000);
          const bodies = await Promise.all(Array.from({ length: 8 }, ask));
          expect(new Set(bodies)).toEqual(new Set(['{"error":"no supplied offer"}']));
          for (const name of connectionsOf(broker.pid)) used.add(name);
        }
        // Five times eight requests.
        expect(used.size).toBeLessThan(30);
      },
      60_000,
    );
  });
}
