/** The `simulate` command: what policies do to peers that behave as the deployed ones. */

import { closeSync, openSync, writeFileSync } from "node:fs";

import { type CommandResult, failed, flag } from "../cli/command.ts";
import { type FlagType, intBetween, parseGoFlags, quote, STRING } from "../cli/go-flag.ts";
import { explainFileError } from "../system/named-file.ts";
import { compare } from "./compare.ts";
import { formatPage } from "./page.ts";
import { CHECK_POLICIES, POLICIES, type PolicyParts } from "./policies.ts";
import { formatJson, formatTable, LEGEND, type ScenarioReport } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { CHECKS, SCENARIOS } from "./scenarios.ts";

const NAME = "simulate";

const ALL = "all";

const DEFAULT_SEEDS = 5;

/** The most seeds, and the largest seed. */
const MOST_SEEDS = 1_000;
const LARGEST_SEED = 2 ** 32 - 1;

const LARGEST_SCALE = 10_000;

/** Every policy that has a name. */
const KNOWN_POLICIES = new Map([...POLICIES, ...CHECK_POLICIES]);

/** Where progress is shown, if somebody watches. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

interface Options {
  readonly scenarios: readonly Scenario[];
  readonly policies: ReadonlyMap<string, PolicyParts>;
  readonly seeds: readonly number[];
  readonly scale: number | undefined;
  /** Paths; undefined: not written. */
  readonly json: string | undefined;
  readonly html: string | undefined;
}

interface OutputFile {
  /** What an error names it by. */
  readonly title: string;
  /** Its descriptor. */
  readonly file: number;
  readonly format: (reports: readonly ScenarioReport[]) => string;
}

type Parsed =
  | { readonly kind: "run"; readonly options: Options }
  | { readonly kind: "help" }
  | { readonly kind: "error"; readonly message: string };

/** Runs the command with the arguments after its name. */
export function runSimulate(args: readonly string[], terminal: Terminal): CommandResult {
  const parsed = parse(args);
  if (parsed.kind === "help") return { stdout: formatUsage(), stderr: "", exitCode: 0 };
  if (parsed.kind === "error") return failed(NAME, parsed.message, 2);
  const { scenarios, policies, seeds, scale, json, html } = parsed.options;

  // Opened before the runs, which take minutes: a path that is wrong is refused at once.
  const files: OutputFile[] = [];
  for (const [name, path, format] of [
    ["json", json, formatJson],
    ["html", html, formatPage],
  ] as const) {
    if (path === undefined) continue;
    const title = `--${name} ${path}`;
    try {
      files.push({ title, file: openSync(path, "w"), format });
    } catch (error) {
      return failed(NAME, `${title}: ${explainFileError(error, "write")}`, 1);
    }
  }
  const reports = runAll(scenarios, { policies, seeds, scale }, terminal);
  const stdout = [...reports.map(formatTable), `${LEGEND.join("\n")}\n`].join("\n");
  for (const { title, file, format } of files) {
    try {
      writeFileSync(file, format(reports));
      closeSync(file);
    } catch (error) {
      return { ...failed(NAME, `${title}: ${explainFileError(error, "write")}`, 1), stdout };
    }
  }
  return { stdout, stderr: "", exitCode: 0 };
}

function runAll(
  scenarios: readonly Scenario[],
  { policies, seeds, scale }: Pick<Options, "policies" | "seeds" | "scale">,
  terminal: Terminal,
): ScenarioReport[] {
  const total = scenarios.length * policies.size * seeds.length;
  let done = 0;
  const show = (text: string) => {
    // From the line's beginning, and without what stood there before.
    if (terminal.isTTY === true) terminal.write(`\r\x1b[K${text}`);
  };
  const onProgress = (run: string, share: number) => {
    show(`run ${Math.min(done + 1, total)} of ${total}: ${run}: ${Math.round(100 * share)} %`);
    if (share === 1) done++;
  };
  const comparison = { policies, seeds, scale, onProgress };
  const reports = scenarios.map((scenario) => compare(scenario, comparison));
  show("");
  return reports;
}

function parse(args: readonly string[]): Parsed {
  let scenarios = SCENARIOS;
  let policies: ReadonlyMap<string, PolicyParts> = POLICIES;
  let count: number | undefined;
  let seed: number | undefined;
  let scale: number | undefined;
  let json: string | undefined;
  let html: string | undefined;
  const parsed = parseGoFlags(args, [
    flag("scenario", SCENARIO, (value) => (scenarios = value)),
    flag("policy", POLICY_LIST, (value) => (policies = value)),
    flag("seeds", intBetween(1, MOST_SEEDS), (value) => (count = value)),
    flag("seed", intBetween(0, LARGEST_SEED), (value) => (seed = value)),
    flag("scale", intBetween(1, LARGEST_SCALE), (value) => (scale = value)),
    flag("json", STRING, (value) => (json = value)),
    flag("html", STRING, (value) => (html = value)),
  ]);
  if (parsed.kind === "help") return parsed;
  if (parsed.kind === "error") return usageError(parsed.message);
  const [positional] = parsed.positional;
  if (positional !== undefined) {
    return usageError(`${NAME} takes flags only, and ${quote(positional)} is none`);
  }
  if (count !== undefined && seed !== undefined) {
    return usageError("--seed excludes --seeds: it replays one run");
  }
  if (json === "" || html === "") return usageError("--json and --html need the name of a file");
  if (json !== undefined && json === html) {
    return usageError("--json and --html name the same file: the page would replace the figures");
  }
  const seeds =
    seed === undefined ? Array.from({ length: count ?? DEFAULT_SEEDS }, (_, i) => i + 1) : [seed];
  return { kind: "run", options: { scenarios, policies, seeds, scale, json, html } };
}

function usageError(message: string): Parsed {
  return { kind: "error", message: `${message} (see snowflake-broker ${NAME} --help)` };
}

/** One scenario by its name, or all. */
const SCENARIO: FlagType<readonly Scenario[]> = {
  name: "string",
  parse(text) {
    if (text === ALL) return { ok: true, value: SCENARIOS };
    const known = [...SCENARIOS, ...CHECKS];
    const scenario = known.find(({ name }) => name === text);
    if (scenario !== undefined) return { ok: true, value: [scenario] };
    return { ok: false, fault: `must be ${ALL}, or one of ${namesOf(known)}` };
  },
  format: (scenarios) => (scenarios.length === 1 ? namesOf(scenarios) : ALL),
};

/** Policies by their names, with commas between them. */
const POLICY_LIST: FlagType<ReadonlyMap<string, PolicyParts>> = {
  name: "string",
  parse(text) {
    const chosen = new Map<string, PolicyParts>();
    for (const name of text.split(",")) {
      const parts = KNOWN_POLICIES.get(name);
      if (parts === undefined) {
        const known = [...KNOWN_POLICIES.keys()].join(", ");
        return { ok: false, fault: `must be names with commas between them, of ${known}` };
      }
      chosen.set(name, parts);
    }
    return { ok: true, value: chosen };
  },
  format: (policies) => [...policies.keys()].join(","),
};

function namesOf(scenarios: readonly Scenario[]): string {
  return scenarios.map(({ name }) => name).join(", ");
}

function formatUsage(): string {
  const list = (scenarios: readonly Scenario[]) =>
    scenarios.map(({ name, meaning }) => `  ${name.padEnd(15)}${meaning}`).join("\n");
  return `Usage: snowflake-broker ${NAME} [flags]

Lets simulated clients and proxies meet through the real matchmaker on a virtual clock, and
compares its policies. docs/reach.md says what is modelled and what is not.

  --scenario=NAME   one of those below (default ${ALL})
  --policy=NAMES    what to compare, with commas between (default ${POLICY_LIST.format(POLICIES)})
  --seeds=N         runs with the seeds 1 to N (default ${DEFAULT_SEEDS})
  --seed=S          one run, with this seed
  --scale=N         a public broker N times smaller than the real one (default: by scenario)
  --json=FILE       write all figures of all runs
  --html=FILE       write a page with tables and plots

Scenarios of ${ALL}:
${list(SCENARIOS)}

Checks of the simulation itself (their policies: ${[...CHECK_POLICIES.keys()].join(", ")}):
${list(CHECKS)}
`;
}
