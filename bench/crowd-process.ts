/** A crowd in a process of its own, so that it holds up nobody else's clock. Does in turn what its parent says. */

import { approachTo, TRANSPORTS } from "./approach.ts";
import { Crowd } from "./crowd.ts";
import { givenChoice, type Option, parseOptions, requiredCount } from "./options.ts";

/** What a crowd can be told to do. */
export const COMMANDS = ["start", "gather", "release"] as const;
export type Command = (typeof COMMANDS)[number];

const OPTIONS: Readonly<Record<string, Option>> = {
  port: { type: "string", value: "PORT", help: "where the server listens on 127.0.0.1" },
  transport: { type: "string", value: TRANSPORTS.join("|"), help: "the proxies' connections" },
  proxies: { type: "string", value: "N", help: "proxies that wait" },
  together: { type: "string", value: "N", help: "how many of them poll together" },
};

if (import.meta.main) {
  const given = parseOptions(process.argv.slice(2), OPTIONS);
  const crowd = new Crowd(
    approachTo(requiredCount(given, "port", 1), givenChoice(given, "transport", TRANSPORTS)),
    requiredCount(given, "proxies", 1),
    requiredCount(given, "together", 1),
  );
  const obey = async (message: unknown) => {
    const command = COMMANDS.find((known) => known === message);
    if (command === undefined) throw new Error("not a command of a crowd");
    await crowd[command]();
    process.send?.([...crowd.tally.errors].map(([reason, count]) => `${count} x ${reason}`));
  };
  process.on("message", (message) => void obey(message));
}
