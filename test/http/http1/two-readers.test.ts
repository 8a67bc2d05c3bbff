import { expect, test } from "bun:test";

import fc from "fast-check";

import { readTwice, sent } from "./two-readers.ts";

test("two readers agree on what a peer sends, however it is cut", () => {
  fc.assert(
    fc.property(sent, ([text, places]) => {
      const { ours, slow } = readTwice(text, places);
      expect(ours).toEqual(slow);
    }),
    { numRuns: 3000 },
  );
});

test("many of these texts have several requests, and many are refused", () => {
  const readings = fc.sample(sent, 1000).map(([text]) => readTwice(text, []).slow);
  const share = (of: (reading: (typeof readings)[number]) => boolean) =>
    readings.filter(of).length / readings.length;
  expect(share(({ requests }) => requests.length > 1)).toBeGreaterThan(0.2);
  expect(share(({ ending }) => ending === "open")).toBeGreaterThan(0.2);
  expect(share(({ ending }) => ending.startsWith("400"))).toBeGreaterThan(0.2);
  expect(share(({ requests }) => requests.some(({ body }) => body === "<broken>"))).toBeGreaterThan(
    0.002,
  );
});
