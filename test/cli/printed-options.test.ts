import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { REFERENCE_POLICY } from "../../src/broker/policy/matching-policy.ts";
import { formatOptionsPage, formatUsage } from "../../src/cli/help.ts";
import { optionTable } from "../../src/cli/option-table.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { PLAIN, run, TLS } from "./command-lines.ts";

function printConfig(...args: string[]): string {
  const parsed = parseOptions(["--print-config", ...args]);
  if (parsed.kind !== "print-config") throw new Error(JSON.stringify(parsed));
  return parsed.text;
}

/** The arguments that a shell makes of the printed configurations; one shell reads them all. */
function readByShell(texts: readonly string[]): string[][] {
  const script = texts.flatMap((text) => [
    "set --",
    ...text.split("\n").map((line) => (line.startsWith("--") ? `set -- "$@" ${line}` : line)),
    // How many there are, then each, ended by the one character that no argument holds.
    String.raw`printf '%s\0' "$#" "$@"`,
  ]);
  const shell = Bun.spawnSync(["sh"], { stdin: Buffer.from(script.join("\n")) });
  expect(shell.stderr.toString()).toBe("");
  const words = shell.stdout.toString().split("\0");
  return texts.map(() => words.splice(0, Number(words.shift())));
}

describe("the printed configuration", () => {
  test("has a line for every option that can be given, in the order of the table", () => {
    const lines = printConfig(...TLS, "--trusted-hops=0b11", "--addr=[::1]:443")
      .trimEnd()
      .split("\n");
    const printed = lines.map((line) => /^(?:# )?--([a-z0-9-]+)/.exec(line)?.[1] ?? line);
    const names = Object.values(optionTable()).flatMap((option) =>
      option.isFor("all-in-one") && option.entry.group !== "modes" ? [option.name] : [],
    );
    expect(printed).toEqual(names);
    expect(lines).toContain("--cert=c.pem");
    expect(lines).toContain("--trusted-hops=3");
    expect(lines).toContain("--addr='[::1]:443'");
    expect(lines).toContain("--disable-tls=false  # default");
    expect(lines).toContain("--log-level=info  # default");
    expect(lines.filter((line) => line.startsWith("# --allowed-relay-pattern"))).toHaveLength(1);
    expect(printConfig(PLAIN, "--allowed-relay-pattern=")).toContain(
      "\n--allowed-relay-pattern=\n",
    );
  });

  test("of the reference's policy has no option that this excludes, so it can be given again", () => {
    const lines = printConfig(PLAIN, "--policy=reference").trimEnd().split("\n");
    const again = lines
      .filter((line) => line.startsWith("--"))
      .map((line) => line.split(" ")[0] ?? "");
    expect(run(...again).policy).toEqual(REFERENCE_POLICY);
    expect(lines).toContain("# --client-wait is excluded by --policy=reference");
  });

  test("read back through a shell gives the same options", () => {
    const path = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text.toWellFormed().replaceAll(/\0|\n/g, "")),
      fc.constantFrom(
        "",
        "a b",
        "it's",
        "'",
        "$HOME",
        "`x`",
        "\\",
        '"',
        "#x",
        " # default",
        "*",
        "~",
      ),
    );
    const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(String);
    const commandLine = fc
      .record(
        {
          cert: path,
          key: path,
          addr: fc.constantFrom("", ":80", "[::1]:443", "localhost:https", "127.0.0.1:"),
          "trusted-hops": fc.maxSafeInteger().map(String),
          "bridge-list-path": path,
          "allowed-relay-pattern": path,
          "poll-interval-filepath": path,
          "max-waiting-proxies": count,
          "max-clients": count,
          "max-rate-limit-entries": count,
          "log-format": fc.constantFrom("text", "json"),
          "log-level": fc.constantFrom("debug", "info", "warn", "error"),
          "unsafe-logging": fc.constantFrom("0", "1"),
          "disable-geoip": fc.constantFrom("f", "t"),
        },
        { requiredKeys: [] },
      )
      .map((given) => [PLAIN, ...Object.entries(given).map(([name, text]) => `--${name}=${text}`)]);
    fc.assert(
      fc.property(fc.array(commandLine, { minLength: 20, maxLength: 20 }), (commandLines) => {
        const readBack = readByShell(commandLines.map((args) => printConfig(...args)));
        expect(readBack).toHaveLength(commandLines.length);
        for (const [i, args] of commandLines.entries()) {
          const { warnings: _, ...options } = run(...args);
          const { warnings: __, ...again } = run(...(readBack[i] ?? []));
          expect(again).toEqual(options);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe("the help", () => {
  const paragraphs = formatUsage().trimEnd().split("\n\n");

  test("fits on a screen, group by group", () => {
    for (const paragraph of paragraphs) {
      const lines = paragraph.split("\n");
      expect(lines.length).toBeLessThanOrEqual(20);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  test("explains every option once", () => {
    const flags = [...formatUsage().matchAll(/^ {2}--([a-z0-9-]+)/gm)].map((match) => match[1]);
    const options = Object.values(optionTable());
    expect(flags).toEqual(["help", ...options.map((option) => option.name)]);
  });

  test("gives every option that takes a value a name for it", () => {
    for (const option of Object.values(optionTable())) {
      expect(option.entry.value === undefined).toBe(option.isBoolean);
    }
  });
});

test("the documentation's tables have a row for every option, all columns aligned", () => {
  const sections = formatOptionsPage()
    .split(/^## .*\n\n/m)
    .slice(1);
  const flags = sections.flatMap((section) => {
    const rows = section.trimEnd().split("\n");
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    return rows.slice(2).map((row) => /^\| `--([a-z0-9-]+)`/.exec(row)?.[1]);
  });
  expect(flags).toEqual(["help", ...Object.values(optionTable()).map((option) => option.name)]);
});

test("docs/options.md is what the table says (npm run docs)", async () => {
  const page = Bun.file(new URL("../../docs/options.md", import.meta.url));
  expect(await page.text()).toBe(formatOptionsPage());
});
