import { describe, expect, test } from "bun:test";

import fc from "fast-check";

import { REFERENCE_POLICY } from "../../src/broker/policy/matching-policy.ts";
import { Pool, type Pooled } from "../../src/broker/pool.ts";
import vectors from "../vectors/pool_order.json";

class Proxy implements Pooled {
  readonly name: string;
  readonly clients: number;
  readonly unreliable = false;
  poolIndex = -1;
  poolTicket = 0;

  constructor(name: string, clients: number) {
    this.name = name;
    this.clients = clients;
  }
}

describe("the order in which proxies leave a pool", () => {
  for (const { pushed_clients, removed_before_popping, pop_order } of vectors.cases) {
    test(`${pushed_clients.join(" ")} without ${removed_before_popping?.join(" ") ?? "any"}`, () => {
      const pool = new Pool<Proxy>("open", REFERENCE_POLICY.comesBefore);
      const proxies = pushed_clients.map((clients, i) => new Proxy(`p${i}`, clients));
      for (const proxy of proxies) pool.add(proxy);
      for (const proxy of proxies) {
        if (removed_before_popping?.includes(proxy.name)) pool.remove(proxy);
      }
      const taken: Proxy[] = [];
      for (let next = pool.take(); next !== undefined; next = pool.take()) taken.push(next);
      // As in the vectors, the least loaded come first. Among equals, where theirs is an accident of the heap, ours is
      // the order in which they came.
      const clientsOf = (name: string) => pushed_clients[Number(name.slice(1))];
      expect(taken.map(({ clients }) => clients)).toEqual(
        pop_order.map((name) => clientsOf(name) ?? Number.NaN),
      );
      const turn = ({ clients, poolTicket }: Proxy) => clients * 1000 + poolTicket;
      expect(taken.map(turn)).toEqual(taken.map(turn).toSorted((a, b) => a - b));
    });
  }
});

test("whatever comes and goes, the least loaded of those present is taken", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("add" as const), clients: fc.nat(40) }),
    fc.record({ do: fc.constant("remove" as const), which: fc.nat() }),
    fc.record({ do: fc.constant("take" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pool = new Pool<Proxy>("open", REFERENCE_POLICY.comesBefore);
      const present: Proxy[] = [];
      for (const next of steps) {
        if (next.do === "add") {
          const proxy = new Proxy("", next.clients);
          pool.add(proxy);
          present.push(proxy);
        } else if (next.do === "remove") {
          const [proxy] = present.splice(next.which % Math.max(present.length, 1), 1);
          if (proxy !== undefined) pool.remove(proxy);
          expect(proxy?.poolIndex ?? -1).toBe(-1);
        } else {
          const least = Math.min(...present.map((proxy) => proxy.clients));
          const taken = pool.take();
          // `present` is in the order in which they came.
          expect(taken).toBe(present.find((proxy) => proxy.clients === least));
          if (taken !== undefined) present.splice(present.indexOf(taken), 1);
        }
        expect(pool.size).toBe(present.length);
        expect(pool.isConsistent()).toBe(true);
      }
    }),
  );
});
