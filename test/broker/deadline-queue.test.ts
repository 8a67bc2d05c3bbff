import { expect, test } from "bun:test";

import { DeadlineQueue, type Expiring } from "../../src/broker/deadline-queue.ts";
import { FakeClock } from "../kit/fake-clock.ts";

class Entry implements Expiring<Entry> {
  readonly name: string;
  deadline = 0;
  earlier: Entry | undefined = undefined;
  later: Entry | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}

function queueOn(clock: FakeClock) {
  const due: string[] = [];
  const queue: DeadlineQueue<Entry> = new DeadlineQueue(clock, 100, (entry) => {
    queue.remove(entry);
    due.push(`${entry.name} at ${clock.now()}`);
  });
  return { queue, due };
}

test("one timer is set, however often the queue empties and fills again", () => {
  const clock = new FakeClock();
  const { queue, due } = queueOn(clock);
  for (let n = 0; n < 1_000; n++) {
    const entry = new Entry(String(n));
    queue.add(entry, clock.now());
    queue.remove(entry);
    clock.advance(0.05);
  }
  expect(clock.timers).toBe(1);
  queue.add(new Entry("last"), clock.now());
  clock.advance(100);
  expect(due).toHaveLength(1);
  expect(clock.timers).toBe(0);
});

test("an entry that comes back goes to its old place, and is due in time", () => {
  const clock = new FakeClock();
  const { queue, due } = queueOn(clock);
  const back = new Entry("back");
  queue.add(back, 0);
  queue.remove(back);
  clock.advance(120);
  queue.add(new Entry("later"), 120);
  queue.add(new Entry("latest"), 130);
  queue.add(back, 60);
  expect([...queue].map(({ name }) => name)).toEqual(["back", "later", "latest"]);
  expect(clock.timers).toBe(1);
  clock.advance(200);
  expect(due).toEqual(["back at 160", "later at 220", "latest at 230"]);
});
