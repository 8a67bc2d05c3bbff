/** All clients in flight, and their deadlines. */

import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import type { MatchingPolicy } from "./policy/matching-policy.ts";

/** What to do with a client whose time is up. */
export interface ClientDeadlines {
  /** It has no answer yet, and a second proxy might be asked. Its deadline stays. */
  readonly onSilence: (client: Client) => void;
  /** It has no answer: it has to be ended. */
  readonly onExpired: (client: Client) => void;
}

/**
 * Every client has one deadline, counted from its offer, whatever becomes of it. So they are in the order of their
 * deadlines as they come. With a second chance each passes through two queues: of those that may get one, and of those
 * that had their chance.
 */
export class Clients {
  readonly #clientDeadline: number;
  readonly #fresh: DeadlineQueue<Client>;
  readonly #late: DeadlineQueue<Client>;
  #heldCharacters = 0;

  constructor(clock: Clock, policy: MatchingPolicy, { onSilence, onExpired }: ClientDeadlines) {
    const { clientDeadline, secondChance } = policy;
    this.#clientDeadline = clientDeadline;
    this.#late = new DeadlineQueue(clock, clientDeadline - (secondChance ?? 0), onExpired);
    this.#fresh =
      secondChance === undefined
        ? this.#late
        : new DeadlineQueue(clock, secondChance, (client) => {
            this.#fresh.remove(client);
            client.queue = this.#late;
            this.#late.add(client, client.deadline);
            onSilence(client);
          });
  }

  get size(): number {
    return this.#fresh === this.#late ? this.#late.size : this.#fresh.size + this.#late.size;
  }

  /** How long the offers of all clients are together, in UTF-16 units. */
  get heldCharacters(): number {
    return this.#heldCharacters;
  }

  add(client: Client): void {
    this.#heldCharacters += client.offer.offer.length;
    client.queue = this.#fresh;
    this.#fresh.add(client, client.since);
  }

  remove(client: Client): void {
    client.queue?.remove(client);
    client.queue = undefined;
    this.#heldCharacters -= client.offer.offer.length;
  }

  *[Symbol.iterator](): Generator<Client> {
    yield* this.#fresh;
    if (this.#late !== this.#fresh) yield* this.#late;
  }

  /** Calls `expect` for every invariant. */
  check(expect: (invariant: string, holds: boolean) => void): void {
    const all = [...this];
    expect("the clients in flight know their number", all.length === this.size);
    const held = all.reduce((sum, { offer }) => sum + offer.offer.length, 0);
    expect("the length of held offers is known", held === this.#heldCharacters);
    for (const client of all) {
      const { place, match, second, elsewhere, since, queue } = client;
      expect("a client in flight has a deadline", queue !== undefined);
      expect(
        "no client waits longer than its deadline",
        // Less than a rounding error of the clock's fractions.
        client.deadline <= since + this.#clientDeadline + 0.001,
      );
      expect(
        "a client waits for a proxy or for an answer",
        match === undefined
          ? (place === undefined) !== (elsewhere === undefined)
          : place === undefined,
      );
      expect(
        "a second proxy is asked only after a first",
        second === undefined || match !== undefined,
      );
      for (const given of [match, second]) {
        if (given === undefined) continue;
        expect("a match has the client that has it", given.client === client);
        expect("the proxy of a client in flight was given its offer", given.state === "offered");
      }
    }
  }
}
