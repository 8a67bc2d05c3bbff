import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The core is given clock, randomness and events; it has no way to any of them, nor to the outside. */
const FORBIDDEN =
  /\b(Date\.now|new Date|performance|setTimeout|setInterval|setImmediate|Math\.random|crypto|fetch|Bun|process|console|node:|bun:)\b/;

const SOURCES = join(import.meta.dir, "../../src");

function codeOf(path: string): string {
  const text = readFileSync(path, "utf8");
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*/g, "");
}

function files(room: string): string[] {
  return readdirSync(join(SOURCES, room)).map((name) => join(room, name));
}

test.each([...files("broker"), ...files("messages")])("%s is pure", (file) => {
  expect(FORBIDDEN.exec(codeOf(join(SOURCES, file)))?.[0]).toBeUndefined();
});

test.each(files("broker"))("%s imports only broker/ and messages/", (file) => {
  const imports = [...codeOf(join(SOURCES, file)).matchAll(/from "([^"]+)"/g)].map((m) => m[1]);
  const strangers = imports.filter(
    (path) => !/^(\.|\.\.\/messages)\/[a-z0-9-]+\.ts$/.test(path ?? ""),
  );
  expect(strangers).toEqual([]);
});

test("nothing imports main.ts", () => {
  const importers = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /from "[^"]*\/main\.ts"/.test(codeOf(join(SOURCES, name))));
  expect(importers).toEqual([]);
});
