/** What a scenario consists of. */

import type { People, Population, Volunteers } from "./population.ts";
import type { RestartingBroker } from "./restarting-broker.ts";

export interface Scenario {
  readonly name: string;
  /** What it shows, in a few words. */
  readonly meaning: string;
  /** The population is so many times smaller, unless something else is asked for; undefined: never smaller. */
  readonly scale: number | undefined;
  /** ms before the measured time. */
  readonly warmUp: number;
  /** The measured time, in ms. */
  readonly duration: number;
  readonly volunteers: Volunteers;
  readonly people: People;
  /** The share of pairs that can't connect for reasons that no NAT type tells, such as firewalls. */
  readonly unluckyPairs: number;
  readonly incidents: readonly Incident[];
}

/** Something that happens to all. */
interface Incident {
  /** ms after the measured time began. */
  readonly at: number;
  readonly happens: (stage: Stage) => void;
}

/** What an incident can change. */
interface Stage {
  readonly broker: RestartingBroker;
  readonly population: Population;
  readonly channels: ReadonlySet<() => void>;
}
