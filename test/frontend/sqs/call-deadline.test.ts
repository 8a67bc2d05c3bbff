import { expect, test } from "bun:test";

import { CallTimeout, within } from "../../../src/frontend/sqs/call-deadline.ts";
import { reasonOf } from "./reason.ts";

const forever = new Promise<never>(() => {});

test("a call in time has its outcome", async () => {
  expect(await within(60_000, async () => "outcome")).toBe("outcome");
  const no = new RangeError("no");
  expect(await reasonOf(within(60_000, () => Promise.reject(no)))).toBe(no);
});

test("a call that takes too long is aborted and over, even if it does not listen", async () => {
  let given: AbortSignal | undefined;
  const call = within(1, (abort) => {
    given = abort;
    return forever;
  });
  expect(await reasonOf(call)).toBeInstanceOf(CallTimeout);
  expect(given?.aborted).toBe(true);
});

test("a stop ends it at once, and nothing begins after one", async () => {
  const stop = new AbortController();
  let calls = 0;
  const begin = () =>
    reasonOf(
      within(
        60_000,
        () => {
          calls += 1;
          return forever;
        },
        stop.signal,
      ),
    );
  const call = begin();
  const why = new Error("stopped");
  stop.abort(why);
  expect(await call).toBe(why);
  expect(await begin()).toBe(why);
  expect(calls).toBe(1);
});
