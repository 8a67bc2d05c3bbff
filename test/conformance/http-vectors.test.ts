import { afterAll, describe, expect, test } from "bun:test";

import vectors from "../vectors/http.json";
import { expectedAnswer, HTTP_DIFFERENCES } from "./differences.ts";
import {
  answerOfVector,
  asOfGo126,
  exchange,
  type HttpAnswer,
  requestOfVector,
} from "./http-answer.ts";
import { startTarget, TARGET } from "./target.ts";

// One broker for all, in the order of the vectors: its counters must be untouched when they are asked for.
const broker = await startTarget();
afterAll(() => broker[Symbol.asyncDispose]());

describe("one request to an idle broker", () => {
  for (const vector of vectors.cases) {
    const difference = TARGET === "upstream" ? undefined : HTTP_DIFFERENCES.get(vector.name);
    const title = difference === undefined ? "" : ` (differs: ${difference.reason})`;
    test(vector.name + title, async () => {
      const expected = expectedAnswer(vector.name);
      // Upstream may be built with an older Go; ours has no choice.
      const asIs = TARGET === "upstream" ? asOfGo126 : (given: HttpAnswer) => given;
      const normalize = difference?.normalize ?? asIs;
      const answer = normalize(await exchange(broker.port, requestOfVector(vector)));
      expect({ ...answer, body: likeCut(answer.body, expected.body) }).toEqual(expected);
    });
  }
});

describe("every difference from the vectors is one", () => {
  test.each([...HTTP_DIFFERENCES.keys()])("%s", (name) => {
    const upstream = answerOfVector(name);
    expect(HTTP_DIFFERENCES.get(name)?.ours(upstream)).not.toEqual(upstream);
  });
});

/** The vectors cut long bodies: the body, cut where the expected one is. */
function likeCut(body: string, expected: string): string {
  return expected.endsWith("\n...") ? `${body.slice(0, expected.length - 3)}...` : body;
}
