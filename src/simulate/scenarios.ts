/**
 * The scenarios. What has no source is an assumption. The people of a day, the share of them behind restricted NATs, how
 * long they try and stay, and the share of open proxies that are Go programs were fitted: `published-day`, with the policy
 * `reference-2024`, gives about the matches and denials that were published for that day.
 */

import type { People, Volunteers } from "./population.ts";
import { QUIET_DAY, USUAL_DAY, WORST_DAY } from "./published-days.ts";
import type { Scenario } from "./scenario.ts";
import { publishedVolunteers, steadyVolunteers } from "./volunteers.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far the load of a day swings around its mean, between its quietest hour and, 12 hours later, its busiest. */
const DAILY_SWING = 0.5;

/** People that need a proxy, in a day. */
const PEOPLE_A_DAY = { quiet: 1_950_000, usual: 4_750_000, worst: 12_250_000 } as const;

/** The share of Go proxies and of clients that are of the newest generation, today and on the published days. */
const NEWEST = { today: 0.5, published: 0 } as const;

/** The people of a day. Its quietest hour is `startHour` hours before the simulation begins. */
function peopleOfDay(perDay: number, newest: number, startHour = 0): People {
  const mean = perDay / (DAY / SECOND);
  return {
    perSecond: (time) =>
      mean * (1 - DAILY_SWING * Math.cos((2 * Math.PI * (time + startHour * HOUR)) / DAY)),
    mostPerSecond: mean * (1 + DAILY_SWING),
    restricted: 0.41,
    older: 1 - newest,
    natLate: 0.5,
    natNever: 0.1,
    hidden: 0.3,
    patience: { least: MINUTE, meanMore: MINUTE },
    stay: 5 * MINUTE,
  };
}

/** People that come as often at any hour, and know their NAT type, and never give up. */
function steadyPeople(perSecond: number, restricted: number): People {
  return {
    perSecond: () => perSecond,
    mostPerSecond: perSecond,
    restricted,
    older: 0.5,
    natLate: 0,
    natNever: 0,
    hidden: 0,
    patience: undefined,
    stay: 5 * MINUTE,
  };
}

const USUAL_VOLUNTEERS = publishedVolunteers(USUAL_DAY, NEWEST.today);
const WORST_VOLUNTEERS = publishedVolunteers(WORST_DAY, NEWEST.today);

/** In an hour browsers' poll intervals, and the number of people connected, have settled. */
const PUBLIC_BROKER = { warmUp: HOUR, unluckyPairs: 0.03, incidents: [] } as const;

/** The hour at which a simulation begins whose measured time has the busiest hour of the day in its middle. */
const startBeforePeak = (duration: number) => 12 - (PUBLIC_BROKER.warmUp + duration / 2) / HOUR;

const SMALL_BROKER = {
  scale: undefined,
  warmUp: 5 * MINUTE,
  unluckyPairs: 0,
  incidents: [],
} as const;

/** The scenarios of `all`. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...PUBLIC_BROKER,
    name: "quiet",
    meaning: `a day of plenty: the load and the proxies of ${QUIET_DAY.date}`,
    scale: 100,
    duration: DAY,
    volunteers: publishedVolunteers(QUIET_DAY, NEWEST.today),
    people: peopleOfDay(PEOPLE_A_DAY.quiet, NEWEST.today),
  },
  {
    ...PUBLIC_BROKER,
    name: "worst-day",
    meaning: `the day of the most polls: the load and the proxies of ${WORST_DAY.date}`,
    scale: 100,
    duration: DAY,
    volunteers: WORST_VOLUNTEERS,
    people: peopleOfDay(PEOPLE_A_DAY.worst, NEWEST.today),
  },
  {
    ...SMALL_BROKER,
    name: "private",
    meaning: "a broker of one's own: three proxies, a person every 20 s",
    duration: DAY,
    volunteers: steadyVolunteers({ newest: 2, older: 1 }),
    people: steadyPeople(1 / 20, 0.4),
  },
  {
    ...SMALL_BROKER,
    name: "one",
    meaning: "one volunteer, a person every 100 s",
    duration: 4 * DAY,
    volunteers: steadyVolunteers({ newest: 1, older: 0 }),
    people: steadyPeople(1 / 100, 0.4),
  },
  {
    ...PUBLIC_BROKER,
    name: "probe-outage",
    meaning: `the peak of ${USUAL_DAY.date}: for three hours all but 30 open proxies don't know that they are`,
    scale: 20,
    duration: 6 * HOUR,
    volunteers: USUAL_VOLUNTEERS,
    people: peopleOfDay(PEOPLE_A_DAY.usual, NEWEST.today, startBeforePeak(6 * HOUR)),
    incidents: [
      { at: HOUR, happens: ({ population }) => population.loseProbe(30) },
      { at: 4 * HOUR, happens: ({ population }) => population.restoreProbe() },
    ],
  },
  {
    ...PUBLIC_BROKER,
    name: "bridge-death",
    meaning: `the peak of ${USUAL_DAY.date}: every connected person comes back at once`,
    scale: 20,
    duration: 2 * HOUR,
    volunteers: USUAL_VOLUNTEERS,
    people: peopleOfDay(PEOPLE_A_DAY.usual, NEWEST.today, startBeforePeak(2 * HOUR)),
    incidents: [
      {
        at: 30 * MINUTE,
        happens({ channels }) {
          for (const breaks of [...channels]) breaks();
        },
      },
    ],
  },
  {
    ...PUBLIC_BROKER,
    name: "restart",
    meaning: "the worst day's peak: the broker drains, and nobody listens for 3 s",
    scale: 50,
    duration: 2 * HOUR,
    volunteers: WORST_VOLUNTEERS,
    people: peopleOfDay(PEOPLE_A_DAY.worst, NEWEST.today, startBeforePeak(2 * HOUR)),
    incidents: [{ at: 30 * MINUTE, happens: ({ broker }) => void broker.restart(3 * SECOND) }],
  },
];

/** A rough model of saturation: steady open proxies, and people that only those can serve. */
function rough(name: string, proxies: number, seconds: number, duration: number): Scenario {
  const volunteers: Volunteers = steadyVolunteers({ newest: proxies, older: 0 });
  return {
    ...SMALL_BROKER,
    name,
    meaning: `open proxies: ${proxies}; every ${seconds} s a person that only those can serve`,
    duration,
    volunteers,
    people: steadyPeople(1 / seconds, 1),
  };
}

/** To check the simulation itself; not in `all`. */
export const CHECKS: readonly Scenario[] = [
  {
    ...PUBLIC_BROKER,
    name: "published-day",
    meaning: `${WORST_DAY.date} with the programs of that time; for the policy reference-2024`,
    scale: 100,
    duration: DAY,
    volunteers: publishedVolunteers(WORST_DAY, NEWEST.published),
    people: peopleOfDay(PEOPLE_A_DAY.worst, NEWEST.published),
  },
  rough("rough-one", 1, 100, 4 * DAY),
  rough("rough-five", 5, 5, 6 * HOUR),
  rough("rough-many", 180, 0.1, HOUR),
];
