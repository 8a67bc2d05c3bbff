import { expect, test } from "bun:test";

import { systemClock } from "../../src/system/system-clock.ts";

test.each([25, 30, 365])("a call in %i days does not come at once", async (days) => {
  let called = false;
  const cancel = systemClock.callAt(systemClock.now() + days * 86_400_000, () => {
    called = true;
  });
  // Timers fire in the order of their times, so one that was cut to a millisecond would be over by now.
  const { promise, resolve } = Promise.withResolvers<void>();
  systemClock.callAt(systemClock.now() + 20, resolve);
  await promise;
  cancel();
  expect(called).toBe(false);
});
