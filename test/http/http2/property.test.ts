/** Whatever a peer sends, in whatever pieces. */

import { test } from "bun:test";

import fc from "fast-check";

import { anyCuts, anyFrames, expectCutsToChangeNothing, expectSoundness } from "./any-frames.ts";

test("no frames make it throw, hold more than it may, leave a request without answer, or stay", () => {
  fc.assert(fc.property(anyFrames, anyCuts, expectSoundness), { numRuns: 1000 });
});

test("how frames are cut changes nothing", () => {
  fc.assert(fc.property(anyFrames, anyCuts, expectCutsToChangeNothing), { numRuns: 500 });
});
