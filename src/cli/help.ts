/** The option table as people read it: `--help`, `--print-config` and the documentation. */

import { type AnyOption, type OptionTable, optionTable } from "./option-table.ts";
import { OPTION_GROUPS, type Role } from "./option.ts";
import { isExcluded } from "./policy-options.ts";

const SYNOPSIS = `Usage: snowflake-broker [flags]
  snowflake-broker --cert chain.pem --key key.pem
  snowflake-broker --disable-tls --addr 127.0.0.1:8080
  snowflake-broker core --socket PATH [flags]
  snowflake-broker http-frontend --socket PATH [flags]
  snowflake-broker distinct-count -in FILE -from TIME -to TIME
  snowflake-broker simulate [--scenario NAME] [--policy NAME,NAME]

Matches Snowflake clients with Snowflake proxies. -flag is the same as --flag.
`;

const HELP = { flag: "--help, -h", meaning: "print this text and exit" };

/** The width of a screen in columns, and the column where explanations begin. */
const WIDTH = 80;
const MARGIN = 33;

/** What `--help` prints: a paragraph for each group of options. */
export function formatUsage(): string {
  const table = optionTable();
  const groups = OPTION_GROUPS.map(({ name, heading }) => {
    const lines = optionsOf(table, name).flatMap((option) =>
      formatUsageLines(usageFlag(option), `${option.entry.help}${usageNote(option)}`),
    );
    if (name === "modes") lines.unshift(...formatUsageLines(HELP.flag, HELP.meaning));
    return [`${heading}:`, ...lines, ""].join("\n");
  });
  return [SYNOPSIS, ...groups].join("\n");
}

/**
 * What `--print-config` prints: every option with its value, one to a line, in words that a shell reads back as the
 * arguments they stand for.
 */
export function formatConfig(table: OptionTable, role: Role): string {
  let text = "";
  for (const option of Object.values(table)) {
    const { absent, group } = option.entry;
    if (group === "modes" || !option.isFor(role)) continue;
    if (isExcluded(table, option)) {
      text += `# --${option.name} is excluded by --policy=reference\n`;
      continue;
    }
    if (absent !== undefined && !option.given) {
      text += `# --${option.name} is not given: ${absent}\n`;
      continue;
    }
    const isDefault = absent === undefined && option.text === option.defaultText;
    text += `--${option.name}=${shellQuote(option.text)}${isDefault ? "  # default" : ""}\n`;
  }
  return text;
}

/** The options as a page of the documentation: a heading and a table for each group. */
export function formatOptionsPage(): string {
  const table = optionTable();
  const groups = OPTION_GROUPS.map(({ name, heading }) => {
    const rows = optionsOf(table, name).map((option) => [
      `\`--${option.name}\``,
      option.entry.type.name,
      option.defaultText === "" ? "" : `\`${option.defaultText}\``,
      `${option.entry.help}${documentationNote(option)}`,
    ]);
    if (name === "modes") rows.unshift(["`--help`", "bool", "`false`", HELP.meaning]);
    return `## ${heading}\n\n${formatMarkdownTable(["flag", "type", "default", "meaning"], rows)}`;
  });
  return ["# Options\n", ...groups].join("\n");
}

function optionsOf(table: OptionTable, group: string): AnyOption[] {
  return Object.values(table).filter((option) => option.entry.group === group);
}

function usageFlag(option: AnyOption): string {
  const { value } = option.entry;
  return value === undefined ? `--${option.name}` : `--${option.name}=${value}`;
}

function usageNote(option: AnyOption): string {
  const note = documentationNote(option);
  if (note !== "" || option.defaultText === "" || option.defaultText === "false") return note;
  return ` (default ${option.defaultText})`;
}

/** What the help text and the default together don't say. */
function documentationNote(option: AnyOption): string {
  const { absent } = option.entry;
  return absent === undefined ? "" : ` (not given: ${absent})`;
}

/** A flag, and beside it its explanation, broken into lines between words. */
function formatUsageLines(flag: string, explanation: string): string[] {
  const lines: string[] = [];
  let line = `  ${flag}`.padEnd(MARGIN - 1);
  for (const word of explanation.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(MARGIN - 1);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Quotes the text for a POSIX shell, if it needs it, so that `--name=` and it are one word. */
function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Pads the cells as the formatter does, so that a generated document passes its check. */
function formatMarkdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = header.map((cell, i) =>
    Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const formatRow = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => (cells[i] ?? "").padEnd(width)).join(" | ")} |\n`;
  const rule = widths.map((width) => "-".repeat(width));
  return [header, rule, ...rows].map(formatRow).join("");
}
