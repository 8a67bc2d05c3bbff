/** Command lines of the bench programs: tables of options, from which the help is made too. */

import { parseArgs } from "node:util";

/** The command line is wrong; the message is for whoever wrote it. */
export class UsageError extends Error {}

export interface Option {
  readonly type: "string" | "boolean";
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly default?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** What was given: texts of options with a value, in order, and names of switches. */
export interface GivenOptions {
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly switches: ReadonlySet<string>;
}

/** Throws UsageError for unknown options and arguments that belong to none. */
export function parseOptions(
  args: readonly string[],
  options: Readonly<Record<string, Option>>,
): GivenOptions {
  const texts = new Map<string, string[]>();
  const switches = new Set<string>();
  try {
    const { tokens } = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type }]) => [name, { type }]),
      ),
      tokens: true,
    });
    for (const token of tokens) {
      if (token.kind !== "option") continue;
      if (token.value === undefined) switches.add(token.name);
      else texts.set(token.name, [...(texts.get(token.name) ?? []), token.value]);
    }
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  for (const [name, option] of Object.entries(options))
    if (option.default !== undefined && !texts.has(name)) texts.set(name, [option.default]);
  return { texts, switches };
}

/** The whole number given for an option, undefined if there is none. Throws UsageError below `minimum`. */
export function givenCount(given: GivenOptions, name: string, minimum: number): number | undefined {
  const text = given.texts.get(name)?.at(-1);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count < minimum)
    throw new UsageError(`--${name}: "${text}" is not a whole number from ${minimum}`);
  return count;
}

/** The choice given for an option, undefined if there is none. Throws UsageError for what is no choice. */
export function givenChoice<Choice extends string>(
  given: GivenOptions,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = given.texts.get(name)?.at(-1);
  const choice = choices.find((known) => known === text);
  if (text !== undefined && choice === undefined)
    throw new UsageError(`--${name}: "${text}" is none of ${choices.join(", ")}`);
  return choice;
}

/** As `givenCount`, for an option that has a default or must be given. */
export function requiredCount(given: GivenOptions, name: string, minimum: number): number {
  const count = givenCount(given, name, minimum);
  if (count === undefined) throw new UsageError(`--${name} is required`);
  return count;
}

/** One line for each option. */
export function formatOptions(options: Readonly<Record<string, Option>>): string {
  const rows = Object.entries(options).map(([name, option]) => ({
    left: `  --${name}${option.value === undefined ? "" : ` ${option.value}`}`,
    right: option.default === undefined ? option.help : `${option.help} (${option.default})`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  return rows.map(({ left, right }) => `${left.padEnd(width)}${right}\n`).join("");
}
