import { expect, test } from "bun:test";

import { approachTo } from "../../bench/approach.ts";
import { Crowd } from "../../bench/crowd.ts";
import { openPort } from "../kit/http-frontend.ts";

const HEAD = { status: 200, fields: [] } as const;
const NO_MATCH = '{"Status":"no match","Offer":"","NAT":"","NextPoll":9999,"RelayURL":""}';

/** Polls wait until they are told to end. */
function startServer() {
  let waiting: ((body: string) => void)[] = [];
  const port = openPort((_, exchange) => {
    waiting.push((body) => exchange.reply({ head: HEAD, body }));
  });
  return {
    port: port.port,
    waiting: () => waiting.length,
    /** Ends so many of the polls that wait, the first that came first. */
    end(count: number, body = NO_MATCH) {
      const ended = waiting.slice(0, count);
      waiting = waiting.slice(count);
      for (const reply of ended) reply(body);
    },
    [Symbol.asyncDispose]: () => port.server.stop(),
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("patience ended");
    await Bun.sleep(1);
  }
}

/** Whether a promise has resolved by now. */
function watched(promise: Promise<void>): () => boolean {
  let done = false;
  void promise.then(() => (done = true));
  return () => done;
}

test("some poll together when they are let, and the others by themselves", async () => {
  await using server = startServer();
  const crowd = new Crowd(approachTo(server.port), 10, 6);
  void crowd.start(0.01);
  await until(() => server.waiting() === 10);

  const gathered = watched(crowd.gather());
  server.end(5);
  await until(() => crowd.tally.waiting === 5);
  expect(gathered()).toBe(false);
  server.end(1);
  await until(gathered);
  expect(server.waiting()).toBe(4);
  server.end(4);
  await until(() => server.waiting() === 4);

  const ended = watched(crowd.release());
  await until(() => server.waiting() === 10);
  expect(ended()).toBe(false);
  server.end(10);
  await until(ended);
  await until(() => server.waiting() === 4);
  expect([...crowd.tally.errors]).toEqual([]);
  crowd.close();
});

test("a proxy that has failed is an error, and nobody waits for it", async () => {
  await using server = startServer();
  const crowd = new Crowd(approachTo(server.port), 3, 3);
  void crowd.start(0.01);
  await until(() => server.waiting() === 3);
  const gathered = watched(crowd.gather());
  server.end(1, "{");
  server.end(2);
  await until(gathered);
  expect([...crowd.tally.errors]).toEqual([["/proxy: not JSON", 1]]);
  crowd.close();
});
