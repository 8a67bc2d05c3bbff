import { expect, test } from "bun:test";

import { oneAtATime } from "../../src/roles/one-at-a-time.ts";

test("fifty at once are one and one more", async () => {
  let rounds = 0;
  let atOnce = 0;
  let most = 0;
  const reload = oneAtATime(async () => {
    rounds++;
    most = Math.max(most, ++atOnce);
    await Promise.resolve();
    atOnce--;
  });
  await Promise.all(Array.from({ length: 50 }, () => reload()));
  expect(rounds).toBe(2);
  expect(most).toBe(1);
  await reload();
  expect(rounds).toBe(3);
});

test("work that fails does not end it", async () => {
  let rounds = 0;
  const reload = oneAtATime(() => {
    rounds++;
    return rounds === 1 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  const [first, second] = await Promise.allSettled([reload(), reload()]);
  expect(first.status).toBe("rejected");
  expect(second.status).toBe("fulfilled");
  expect(rounds).toBe(2);
});
