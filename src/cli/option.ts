/** What an option is: an entry of the table, and what one command line said of it. */

import { type FlagType, type GoFlag } from "./go-flag.ts";

/** The groups of options and their headings, in the order of `--help`. */
export const OPTION_GROUPS = [
  { name: "modes", heading: "Instead of running" },
  { name: "listening", heading: "Listening" },
  { name: "connections", heading: "Connections" },
  { name: "acme", heading: "Certificates from a certificate authority (ACME)" },
  { name: "matching", heading: "Matching" },
  { name: "policy", heading: "Matching policy: more clients with the same proxies" },
  { name: "experience", heading: "Matching policy: what it learns of peers" },
  { name: "limits", heading: "Limits" },
  { name: "log", heading: "Log" },
  { name: "metrics", heading: "Metrics and countries" },
  { name: "sqs", heading: "Clients that come through Amazon SQS" },
  { name: "cluster", heading: "More than one machine" },
  { name: "processes", heading: "More than one process" },
] as const;

type OptionGroup = (typeof OPTION_GROUPS)[number]["name"];

/** What one process can be. */
export const ROLES = ["all-in-one", "core", "http-frontend"] as const;
export type Role = (typeof ROLES)[number];

/** The words that may come before the flags. */
export const COMMAND_WORDS = ["core", "http-frontend", "distinct-count", "simulate"] as const;

/** Which roles take the options of a group, where the option itself says nothing else. */
const ROLES_OF_GROUP: Readonly<Record<OptionGroup, readonly Role[]>> = {
  modes: ROLES,
  listening: ["all-in-one", "http-frontend"],
  connections: ["all-in-one", "http-frontend"],
  acme: ["all-in-one", "http-frontend"],
  matching: ["all-in-one", "core"],
  policy: ["all-in-one", "core"],
  experience: ["all-in-one", "core"],
  limits: ["all-in-one", "core"],
  log: ROLES,
  metrics: ["all-in-one", "core"],
  sqs: ["all-in-one", "core"],
  cluster: ["all-in-one", "core"],
  processes: ["core", "http-frontend"],
};

/** What the table says of an option. */
export interface OptionEntry<T> {
  readonly name: string;
  readonly type: FlagType<T>;
  readonly default: NoInfer<T>;
  readonly group: OptionGroup;
  /** What it means, with units; one sentence without a full stop. */
  readonly help: string;
  /** What stands for the value in `--help`; a boolean has none. */
  readonly value?: string;
  /** What happens if it is not given, where that is not the same as giving the default. */
  readonly absent?: string;
  /** Which roles take it, if not those of its group. */
  readonly roles?: readonly Role[];
}

/** An option on one command line: what the table says of it, and what was given. */
export class Option<T> implements GoFlag {
  readonly entry: OptionEntry<T>;
  #value: T;
  #given = false;

  constructor(entry: OptionEntry<T>) {
    this.entry = entry;
    this.#value = entry.default;
  }

  get name(): string {
    return this.entry.name;
  }

  get isBoolean(): boolean {
    return this.entry.type.name === "bool";
  }

  isFor(role: Role): boolean {
    return (this.entry.roles ?? ROLES_OF_GROUP[this.entry.group]).includes(role);
  }

  /** What was given last, or the default. */
  get value(): T {
    return this.#value;
  }

  get given(): boolean {
    return this.#given;
  }

  /** The value as it would be written on the command line. */
  get text(): string {
    return this.entry.type.format(this.#value);
  }

  /** The default as it would be written on the command line. */
  get defaultText(): string {
    return this.entry.type.format(this.entry.default);
  }

  set(text: string): string | undefined {
    const parsed = this.entry.type.parse(text);
    if (!parsed.ok) return parsed.fault;
    this.#value = parsed.value;
    this.#given = true;
    return undefined;
  }
}
