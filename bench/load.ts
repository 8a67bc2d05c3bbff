/**
 * The load generator, a process of its own so that its CPU time is nobody else's. Peers of a Snowflake broker at
 * 127.0.0.1; the result goes to standard output as one line of JSON.
 */

import { type Transport, TRANSPORTS } from "./approach.ts";
import { formatLoadResult, type LoadResult } from "./load-result.ts";
import { measureField } from "./measure-field.ts";
import { measureMixed } from "./measure-mixed.ts";
import { measureIdle, measureMatching, type Progress, type Server } from "./measure.ts";
import {
  formatOptions,
  givenChoice,
  givenCount,
  type GivenOptions,
  type Option,
  parseOptions,
  requiredCount,
  UsageError,
} from "./options.ts";

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "where the server listens on 127.0.0.1" },
  pid: { type: "string", value: "PID", help: "the server's process; its children count too" },
  proxies: { type: "string", value: "N", default: "200", help: "proxies waiting at any time" },
  clients: { type: "string", value: "N", default: "16", help: "clients in a closed loop" },
  seconds: { type: "string", value: "N", default: "10", help: "length of the window" },
  warmup: { type: "string", value: "N", default: "5", help: "seconds before the window" },
  "sqs-port": {
    type: "string",
    value: "PORT",
    help: "clients come by every way; SQS is there on 127.0.0.1",
  },
  "amp-clients": {
    type: "string",
    value: "N",
    default: "4",
    help: "by AMP cache, with --sqs-port",
  },
  "sqs-clients": { type: "string", value: "N", default: "2", help: "by SQS, with --sqs-port" },
  idle: { type: "string", value: "N", help: "no clients: memory with N proxies waiting" },
  field: {
    type: "string",
    value: "N",
    help: "no clients: N proxies that poll now and then, each on an HTTP/2 connection",
  },
  every: {
    type: "string",
    value: "N",
    default: "60",
    help: "seconds from a proxy's poll to its next, with --field",
  },
  constant: { type: "boolean", help: "the server answers constants at once" },
  transport: {
    type: "string",
    value: TRANSPORTS.join("|"),
    default: "plain",
    help: "kept connections; -fresh: each request comes on a new one",
  },
  progress: { type: "boolean", help: "one line a second on standard error" },
  label: { type: "string", value: "TEXT", default: "", help: "begins each of these lines" },
  help: { type: "boolean", help: "print this" },
};

async function main(): Promise<void> {
  const given = parseOptions(process.argv.slice(2), OPTIONS);
  if (given.switches.has("help")) {
    process.stdout.write(
      `Usage: bun bench/load.ts --port PORT --pid PID\n${formatOptions(OPTIONS)}`,
    );
    return;
  }
  const server = {
    port: requiredCount(given, "port", 1),
    pid: requiredCount(given, "pid", 1),
  };
  const label = given.texts.get("label")?.at(-1) ?? "";
  const progress = given.switches.has("progress") ? progressTo(label) : () => {};
  const result = await measure(server, given, progress);
  await Bun.write(Bun.stdout, `${formatLoadResult(result)}\n`);
  // TLS connections that were terminated would keep the process until their servers have closed them, too.
  process.exit();
}

async function measure(
  server: Server,
  given: GivenOptions,
  progress: Progress,
): Promise<LoadResult> {
  const transport: Transport = givenChoice(given, "transport", TRANSPORTS) ?? "plain";
  const idle = givenCount(given, "idle", 1);
  if (idle !== undefined) return measureIdle(server, idle, transport, progress);
  const window = {
    transport,
    seconds: requiredCount(given, "seconds", 1),
    warmup: requiredCount(given, "warmup", 0),
  };
  const field = givenCount(given, "field", 1);
  if (field !== undefined) {
    const every = requiredCount(given, "every", 1);
    return measureField(server, { ...window, proxies: field, every }, progress);
  }
  const clients = requiredCount(given, "clients", 1);
  if (given.switches.has("constant"))
    return measureMatching(server, { ...window, proxies: "constant", clients }, progress);
  const proxies = requiredCount(given, "proxies", 1);
  const sqsPort = givenCount(given, "sqs-port", 1);
  if (sqsPort === undefined)
    return measureMatching(server, { ...window, proxies, clients }, progress);
  const load = {
    ...window,
    proxies,
    httpClients: clients,
    ampClients: requiredCount(given, "amp-clients", 1),
    sqsClients: requiredCount(given, "sqs-clients", 1),
    sqsPort,
  };
  return measureMixed(server, load, progress);
}

function progressTo(label: string): Progress {
  let matchesBefore = 0;
  return (phase, seen) => {
    const matches = seen.matches - matchesBefore;
    matchesBefore = seen.matches;
    process.stderr.write(
      `${label}  ${phase.padEnd(8)}  ${matches} matches/s  ${seen.waiting} waiting  ${seen.errorCount} errors\n`,
    );
  };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
}
