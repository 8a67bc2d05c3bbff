import { beforeEach, expect, test } from "bun:test";
import { PassThrough } from "node:stream";

import fc from "fast-check";

import { CertificatePipe, formatCertificateLine } from "../../src/tls/certificate-pipe.ts";
import { LogLines } from "./log-lines.ts";
import { makeCertificate } from "./made-certificate.ts";
import { describeWithPrograms } from "./programs.ts";

describeWithPrograms("certificates over a pipe", ["openssl"], () => {
  const first = makeCertificate(["a.example"]);
  const second = makeCertificate(["a.example"]);

  let input: PassThrough;
  let log: LogLines;
  let source: CertificatePipe;
  let serials: string[];

  beforeEach(() => {
    input = new PassThrough();
    log = new LogLines();
    source = new CertificatePipe({ input, log: log.log });
    serials = [];
    source.onChange(({ serialNumber }) => serials.push(serialNumber));
  });

  async function write(text: string): Promise<void> {
    await new Promise((resolve) => input.write(text, resolve));
  }

  test("come one after the other", async () => {
    expect(source.current()).toBeUndefined();
    await write(`${formatCertificateLine(first.tls)}\n`);
    expect(source.current()?.tls).toEqual(first.tls);
    expect(source.reload()).toEqual({ ok: true });
    await write(`${formatCertificateLine(second.tls)}\n`);
    expect(source.current()?.tls).toEqual(second.tls);
    expect(serials).toEqual([first.serialNumber, second.serialNumber]);
    expect(log.lines).toEqual([]);
  });

  test("come whole, however the pipe cuts them", async () => {
    const text = `${formatCertificateLine(first.tls)}\n${formatCertificateLine(second.tls)}\n`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 5 }), async (cuts) => {
        serials.length = 0;
        const ends = [...cuts.toSorted((a, b) => a - b), text.length];
        let start = 0;
        for (const end of ends) {
          await write(text.slice(start, end));
          start = end;
        }
        expect(serials).toEqual([first.serialNumber, second.serialNumber]);
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    ["no JSON", "text", "the line is no certificate and key"],
    ["no object", "null", "the line is no certificate and key"],
    ["no key", `{"cert":"x"}`, "the line is no certificate and key"],
    [
      "another key",
      formatCertificateLine({ ...second.tls, key: first.tls.key }),
      "the private key is not that of the certificate",
    ],
  ])("that can't be used leave the one before in use: %s", async (_, line, reason) => {
    await write(`${formatCertificateLine(first.tls)}\n${line}\n`);
    expect(source.current()?.tls).toEqual(first.tls);
    expect(serials).toHaveLength(1);
    expect(log.of("ERROR")).toEqual([
      expect.stringContaining(`certificate on standard input: ${reason}`),
    ]);
    expect(log.lines.join()).not.toContain("PRIVATE KEY");
  });

  test("without end are not waited for, and the end of the input is still seen", async () => {
    const ended = new Promise((resolve) => input.on("end", resolve).resume());
    for (let i = 0; i < 20; i++) await write("x".repeat(100_000));
    expect(log.of("ERROR")).toEqual(["standard input is read no more: its line has no end"]);
    input.end();
    await ended;
  });

  test("are not read after the end", async () => {
    source.stop();
    input.resume();
    await write(`${formatCertificateLine(first.tls)}\n`);
    expect(source.current()).toBeUndefined();
  });
});
