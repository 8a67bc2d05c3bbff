/** The broker as operators run it, with a certificate of a test. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../interop/temporary-directory.ts";
import { BrokerProcess } from "../kit/broker-process.ts";
import { ANY_CERTIFICATE } from "./any-certificate.ts";

export interface TlsBroker extends AsyncDisposable {
  readonly broker: BrokerProcess;
  readonly port: number;
}

/** Starts it with these flags and a certificate, and waits until it listens. */
export async function startTlsBroker(...flags: readonly string[]): Promise<TlsBroker> {
  await using stage = new AsyncDisposableStack();
  const directory = stage.use(temporaryDirectory()).path;
  const cert = join(directory, "cert.pem");
  const key = join(directory, "key.pem");
  writeFileSync(cert, ANY_CERTIFICATE.cert);
  writeFileSync(key, ANY_CERTIFICATE.key);
  const broker = stage.use(await BrokerProcess.start(`--cert=${cert}`, `--key=${key}`, ...flags));
  const kept = stage.move();
  return {
    broker,
    port: Number(new URL(broker.url).port),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
