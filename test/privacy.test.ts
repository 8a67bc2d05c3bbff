import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "./interop/temporary-directory.ts";
import { BrokerProcess } from "./kit/broker-process.ts";

/** Addresses of documentation, so that nothing else in the output can be one of them. */
const IPV4 = ["203.0.113.77", "198.51.100.201", "192.0.2.133"];
const IPV6 = ["2001:db8:77:1234::abcd", "2001:db8:5678:9abc:def0:1111:2222:3333"];

/** How an address could be written down, in words or in bytes. */
function writtenForms(address: string): Buffer[] {
  const forms = [
    address,
    Buffer.from(address)
      .toString("base64")
      .replace(/[A-Za-z0-9+/]?=*$/, ""),
  ];
  if (address.includes(":")) {
    const groups = expand(address);
    const bytes = Buffer.from(groups.join(""), "hex");
    forms.push(address.toUpperCase(), groups.join(":"), groups.join(""), groups.slice(4).join(":"));
    return [...forms.map((form) => Buffer.from(form)), bytes, bytes.subarray(8)];
  }
  const bytes = Buffer.from(address.split(".").map(Number));
  const number = bytes.readUInt32BE();
  forms.push(String(number), number.toString(16), bytes.toReversed().join("."));
  return [...forms.map((form) => Buffer.from(form)), bytes];
}

function expand(address: string): string[] {
  const [left = "", right] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const tail = groups(right ?? "");
  const zeros = right === undefined ? 0 : 8 - groups(left).length - tail.length;
  return [...groups(left), ...Array.from({ length: zeros }, () => "0"), ...tail].map((group) =>
    group.padStart(4, "0"),
  );
}

function post(broker: BrokerProcess, path: string, from: string, body: string): Promise<string> {
  const headers = { "X-Forwarded-For": from, Forwarded: `for="[${from}]:1234"` };
  return fetch(broker.url + path, { method: "POST", body, headers }).then((r) => r.text());
}

test("nothing that a broker writes holds an address that it saw, in any written form", async () => {
  using folder = temporaryDirectory();
  const directory = folder.path;
  const geoip = join(directory, "in");
  writeFileSync(`${geoip}4`, "3325256704,3325256959,AA\n");
  writeFileSync(`${geoip}6`, "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,BB\n");
  const written: Buffer[] = [];
  {
    await using broker = await BrokerProcess.start(
      "--disable-geoip=false",
      `--geoipdb=${geoip}4`,
      `--geoip6db=${geoip}6`,
      `--metrics-log=${join(directory, "metrics.log")}`,
      `--ip-count-prefix=${join(directory, "ips")}`,
      "--log-level=debug",
    );
    for (const [i, address] of [...IPV4, ...IPV6].entries()) {
      const sid = `sid-of-${i}`;
      const sdp = `v=0\\r\\na=candidate:1 1 udp 1 ${address} 9 typ host\\r\\n`;
      const poll = { Sid: sid, Version: "1.3", NAT: "open", AcceptedRelayPattern: "$" };
      const polled = post(broker, "proxy", address, JSON.stringify(poll));
      const offer = JSON.stringify({ offer: `{"type":"offer","sdp":"${sdp}"}` });
      // The proxy may not be waiting yet.
      for (;;) {
        const offered = post(broker, "client", address, `1.0\n${offer}`);
        const denied = await Promise.race([polled.then(() => false), offered.then(() => true)]);
        if (denied) continue;
        const answer = { Version: "1.3", Sid: sid, Answer: `{"type":"answer","sdp":"${sdp}"}` };
        await post(broker, "answer", address, JSON.stringify(answer));
        expect(await offered).toContain('"answer"');
        break;
      }
      await post(broker, "proxy", address, JSON.stringify(poll));
      await post(broker, "client", address, `1.0\n{"offer":"${address}"}`);
      await post(broker, "client", address, `1.0\n{${address}`);
    }
    for (const page of ["debug", "metrics", "prometheus"]) {
      written.push(Buffer.from(await (await fetch(broker.url + page)).bytes()));
    }
    broker.signal("SIGHUP");
    await broker.logged("configuration reloaded");
    broker.signal("SIGTERM");
    expect(await broker.exited).toBe(0);
    written.push(Buffer.from(broker.log));
  }
  const files = readdirSync(directory).filter((name) => !name.startsWith("in"));
  expect(files).toHaveLength(9);
  for (const name of files) {
    const bytes = readFileSync(join(directory, name));
    written.push(bytes);
    const recorded = /"recorded":"([^"]+)"/.exec(bytes.toString());
    if (recorded?.[1] !== undefined) written.push(Buffer.from(recorded[1], "base64"));
  }
  // The journals were written, and they and the report hold something.
  expect(written.length).toBeGreaterThanOrEqual(3 + 1 + 9 + 7);
  const output = Buffer.concat(written);
  for (const address of [...IPV4, ...IPV6]) {
    for (const form of writtenForms(address)) {
      expect({ form: form.toString("latin1"), at: output.indexOf(form) }).toEqual({
        form: form.toString("latin1"),
        at: -1,
      });
    }
  }
  expect(output.includes("sid-of-")).toBe(false);
  expect(output.includes("a=candidate")).toBe(false);
});
