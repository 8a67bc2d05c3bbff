/** The time of day, with the zone it is told in. */

export interface LocalClock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Whole minutes that the local zone is east of UTC at a time. */
  offsetAt(time: number): number;
}

/** The clock and the zone of this machine. */
export const systemClock: LocalClock = {
  now: () => Date.now(),
  offsetAt: (time) => -Math.round(new Date(time).getTimezoneOffset()),
};
