/** The table of docs/architecture.md is the map of src/: it equals the folders, and imports obey it. */

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dir, "..");
const SOURCES = join(ROOT, "src");
const MOST_FILES = 20;

interface Room {
  readonly name: string;
  readonly mayImport: readonly string[];
}

const ROOMS: readonly Room[] = readFileSync(join(ROOT, "docs/architecture.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, name, mayImport = ""] = /^\| `src\/(\w+)\/`[^|]*\|[^|]*\|([^|]*)\|$/.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, mayImport: [...mayImport.matchAll(/`(\w+)`/g)].map(([, room = ""]) => room) }];
  });

const ENTRIES = readdirSync(SOURCES, { recursive: true, withFileTypes: true });

const FILES = ENTRIES.filter((entry) => entry.isFile()).map((entry) =>
  relative(SOURCES, join(entry.parentPath, entry.name)),
);

/** A file's text without comments. */
function codeOf(file: string): string {
  const text = readFileSync(join(SOURCES, file), "utf8");
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*/gm, "");
}

/** The files of src/ that a file imports, types included, as paths below src/. */
function importsOf(file: string): string[] {
  return [...codeOf(file).matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, path = ""]) => join(dirname(file), path))
    .filter((path) => !path.startsWith(".."));
}

const roomOf = (file: string) => file.split("/")[0] ?? "";

describe("the map", () => {
  test("names every folder of src/, and no other", () => {
    const folders = ENTRIES.filter((entry) => entry.isDirectory() && entry.parentPath === SOURCES);
    expect(ROOMS.map(({ name }) => name).toSorted()).toEqual(
      folders.map(({ name }) => name).toSorted(),
    );
  });

  test.each(ROOMS)("$name may import only rooms above it", ({ name, mayImport }) => {
    const above = ROOMS.slice(
      0,
      ROOMS.findIndex((room) => room.name === name),
    );
    const allowed = new Set(above.map((room) => room.name));
    expect(mayImport.filter((room) => !allowed.has(room))).toEqual([]);
  });

  test.each(ROOMS)("$name imports only what the map allows", ({ name, mayImport }) => {
    const allowed = new Set([name, ...mayImport]);
    const strangers = FILES.filter((file) => roomOf(file) === name).flatMap((file) =>
      importsOf(file)
        .filter((path) => !allowed.has(roomOf(path)))
        .map((path) => `${file} imports ${path}`),
    );
    expect(strangers).toEqual([]);
  });

  test("main.ts is the only file outside of a room, and nothing imports it", () => {
    expect(FILES.filter((file) => !file.includes("/"))).toEqual(["main.ts"]);
    expect(FILES.filter((file) => importsOf(file).includes("main.ts"))).toEqual([]);
  });

  test(`no folder holds more than ${MOST_FILES} files`, () => {
    const counts = Map.groupBy(FILES, dirname);
    const crowded = [...counts].filter(([, files]) => files.length > MOST_FILES);
    expect(crowded.map(([folder]) => folder)).toEqual([]);
  });
});

/** Ways to time, randomness and the outside. */
const IMPURE =
  /\b(Date\.now|new Date|performance|setTimeout|setInterval|setImmediate|Math\.random|crypto|fetch|Bun|process|console|node:|bun:)\b/;

const PURE = new Set(["messages", "broker", "library"]);

test.each(FILES.filter((file) => PURE.has(roomOf(file))))("%s is pure", (file) => {
  const code = codeOf(file);
  expect(IMPURE.exec(code)?.[0]).toBeUndefined();
  const packages = [...code.matchAll(/\bfrom "([^."][^"]*)"/g)].map(([, name]) => name);
  expect(packages).toEqual([]);
});
