/** Who is there: volunteers that come and go, and people that want to connect. */

import type { Address } from "../messages/address.ts";
import type { NatType } from "../messages/nat-type.ts";
import type { ProxyType } from "../messages/proxy-type.ts";
import { CLIENT_COUNTRIES, makeAddress, type WeighedCountry } from "./countries.ts";
import { BrowserProxy } from "./peers/browser-proxy.ts";
import type { Field } from "./peers/field.ts";
import { GoClient } from "./peers/go-client.ts";
import { GoProxy } from "./peers/go-proxy.ts";
import type { Volunteer } from "./peers/volunteer.ts";
import { Random } from "./random.ts";

/** Volunteers that are alike. */
export interface VolunteerKind {
  /** How many there are at a time in a population of full size. */
  readonly weight: number;
  readonly program: "newest-go" | "older-go" | "browser";
  readonly type: ProxyType;
  /** What its probe of its NAT found out. */
  readonly nat: NatType;
  /** The probability that it is open in truth. */
  readonly open: number;
  readonly capacity: number;
}

/** All volunteers of a scenario. */
export interface Volunteers {
  readonly kinds: readonly VolunteerKind[];
  readonly countries: readonly WeighedCountry[];
  /** Mean time that one stays, in ms; another like it takes its place. */
  readonly lifetime: number;
  /** The share whose channels never open. */
  readonly useless: number;
  /** The probability that an offer gets no answer, and that a connection died before its offer was sent. */
  readonly silence: number;
  readonly death: number;
  /** The share that polls from the address of the one before. */
  readonly sharedAddresses: number;
}

/** People that want to connect. */
export interface People {
  /** How many come in a second, in a population of full size, by the ms since the simulation began. */
  readonly perSecond: (time: number) => number;
  /** The most that this is at any time. */
  readonly mostPerSecond: number;
  /** The share behind a restricted NAT, which only open proxies can serve. */
  readonly restricted: number;
  /** The share with a client of before December 2024. */
  readonly older: number;
  /** The shares that do not know their NAT type at the first attempt, and that never know. */
  readonly natLate: number;
  readonly natNever: number;
  /** The share whose address a front hides. */
  readonly hidden: number;
  /** How many ms a person tries: at least, and on average more; undefined: for ever. */
  readonly patience: { readonly least: number; readonly meanMore: number } | undefined;
  /** Mean ms that a person stays connected. */
  readonly stay: number;
}

/** Streams of the seed. */
const STREAM = { proxy: 1, client: 2, arrivals: 3 } as const;

/** One way to the broker, in ms, an assumption: clients come through a front, and from farther away. */
const LATENCY = { proxy: { least: 10, most: 100 }, client: { least: 50, most: 300 } } as const;

/** The volunteers begin to poll within so many ms. */
const START_SPREAD = 60_000;

export class Population {
  readonly #field: Field;
  readonly #volunteers: Volunteers;
  readonly #people: People;
  readonly #scale: number;
  readonly #present = new Set<Volunteer>();
  #cameVolunteers = 0;
  #camePeople = 0;
  #lastHome: { readonly country: string; readonly address: Address } | undefined;
  /** How many open proxies can still reach the probe; undefined: all. */
  #probed: number | undefined;

  constructor(field: Field, volunteers: Volunteers, people: People, scale: number) {
    this.#field = field;
    this.#volunteers = volunteers;
    this.#people = people;
    this.#scale = scale;
  }

  /** Volunteers are there, and people begin to come. */
  begin(): void {
    let before = 0;
    for (const kind of this.#volunteers.kinds) {
      // Rounded over all kinds, so that small ones are not lost.
      const after = before + kind.weight / this.#scale;
      const count = Math.round(after) - Math.round(before);
      before = after;
      for (let i = 0; i < count; i++) this.#volunteerComes(kind, START_SPREAD);
    }
    this.#nextPerson(new Random(this.#field.seed, STREAM.arrivals));
  }

  /** All but so many open proxies, of a population of full size, no longer know that they are. */
  loseProbe(left: number): void {
    this.#probed = Math.max(1, Math.round(left / this.#scale));
    for (const volunteer of this.#present) this.#tellNat(volunteer);
  }

  /** They know it again. */
  restoreProbe(): void {
    this.#probed = undefined;
    for (const volunteer of this.#present) this.#tellNat(volunteer);
  }

  #tellNat(volunteer: Volunteer): void {
    const { nat } = volunteer.traits;
    if (nat !== "unrestricted" || this.#probed === undefined) volunteer.nat = nat;
    else volunteer.nat = this.#probed-- > 0 ? nat : "unknown";
  }

  #volunteerComes(kind: VolunteerKind, spread: number): void {
    const { clock, seed } = this.#field;
    const { useless, silence, death, lifetime, sharedAddresses, countries } = this.#volunteers;
    const id = this.#cameVolunteers++;
    const random = new Random(seed, STREAM.proxy, id);
    const { country } = random.pick(countries);
    const ownHome = { country, address: makeAddress("proxy", country, id) };
    const home = random.chance(sharedAddresses) ? (this.#lastHome ?? ownHome) : ownHome;
    this.#lastHome = home;
    const traits = {
      id,
      ...home,
      open: random.chance(kind.open),
      latency: random.between(LATENCY.proxy.least, LATENCY.proxy.most),
      type: kind.type,
      nat: kind.nat,
      capacity: kind.capacity,
      useless: random.chance(useless),
      silence,
      death,
    };
    const field = this.#field;
    const volunteer =
      kind.program === "browser"
        ? new BrowserProxy(field, traits, random)
        : new GoProxy(field, traits, random, kind.program === "newest-go" ? "newest" : "older");
    this.#present.add(volunteer);
    this.#tellNat(volunteer);
    volunteer.begin(random.between(0, spread));
    if (lifetime === Infinity) return;
    clock.callAt(clock.now() + random.exponential(lifetime), () => {
      this.#present.delete(volunteer);
      volunteer.leave();
      this.#volunteerComes(kind, 0);
    });
  }

  /** A Poisson process whose rate changes, by thinning one whose rate is the greatest. */
  #nextPerson(random: Random): void {
    const { clock } = this.#field;
    const { perSecond, mostPerSecond } = this.#people;
    const meanPause = (1000 * this.#scale) / mostPerSecond;
    clock.callAt(clock.now() + random.exponential(meanPause), () => {
      if (random.chance(perSecond(clock.now()) / mostPerSecond)) this.#personComes();
      this.#nextPerson(random);
    });
  }

  #personComes(): void {
    const { restricted, older, natLate, natNever, hidden, patience, stay } = this.#people;
    const id = this.#camePeople++;
    const random = new Random(this.#field.seed, STREAM.client, id);
    const { country } = random.pick(CLIENT_COUNTRIES);
    const isHidden = random.chance(hidden);
    const ignorance = random.next();
    const traits = {
      id,
      open: !random.chance(restricted),
      country,
      latency: random.between(LATENCY.client.least, LATENCY.client.most),
      address: isHidden ? undefined : makeAddress("client", country, id),
      rendezvous: isHidden ? ("ampcache" as const) : ("http" as const),
      generation: random.chance(older) ? ("older" as const) : ("newest" as const),
      natKnownAfter: ignorance < natNever ? Infinity : ignorance < natNever + natLate ? 1 : 0,
      patience:
        patience === undefined ? Infinity : patience.least + random.exponential(patience.meanMore),
      stay: random.exponential(stay),
    };
    new GoClient(this.#field, traits, random).begin();
  }
}
