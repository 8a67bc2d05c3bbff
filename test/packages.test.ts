/** What package.json and its lock file promise of Node.js, which installs the packages and starts Bun. */

import { expect, test } from "bun:test";

import lock from "../package-lock.json";
import { engines } from "../package.json";

/** The oldest versions in our own range, by their parts. */
const OLDEST = engines.node.match(/\d+\.\d+\.\d+/g) ?? [];

const required = Object.entries(lock.packages).flatMap(([path, entry]) =>
  "engines" in entry && "node" in entry.engines ? [{ path, node: entry.engines.node }] : [],
);

test("every package runs on the oldest Node.js that ours says it runs on", () => {
  expect(OLDEST.length).toBeGreaterThan(0);
  expect(required.length).toBeGreaterThan(10);
  const refused = required
    .filter(({ node }) => !OLDEST.every((version) => Bun.semver.satisfies(version, node)))
    .map(({ path }) => path);
  expect(refused).toEqual([]);
});

test("the lock file names no registry", () => {
  for (const entry of Object.values(lock.packages)) expect(entry).not.toHaveProperty("resolved");
});
