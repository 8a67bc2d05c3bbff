/** What the matchmaker asks and does not decide itself: who waits where, who is taken, and when a wait ends. */

import type { NatType } from "../../messages/nat-type.ts";
import {
  POOL_OF_PROXY,
  type PoolName,
  POOLS_FOR_CLIENT,
  type PoolsForClient,
} from "./nat-classes.ts";

/** How long a poll waits for a client in the reference broker, in ms. */
export const PROXY_DEADLINE = 10_000;

/** How long a client waits there for the answer of the proxy it was matched with, in ms. */
export const CLIENT_DEADLINE = 5_000;

/**
 * The longest that any policy may let a poll wait, in ms. Go proxies give up 30 s after a poll that has no response
 * header. Two seconds are for the network and a busy broker.
 */
export const LONGEST_PROXY_WAIT = 28_000;

/** What is known of a proxy that waits. */
export interface Candidate {
  /** How many clients it serves already. */
  readonly clients: number;
  /** Its address has left clients without an answer, or with one that led nowhere. */
  readonly unreliable: boolean;
  /** Greater than that of all who came before. */
  readonly poolTicket: number;
}

/** Between which values a poll interval may follow demand, in ms. */
export interface IntervalBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * A matching policy is a value: it keeps nothing. `Reach` (reach.ts) has the memory that some of its parts need, and
 * each part has a file of its own in this folder.
 */
export interface MatchingPolicy {
  /** Where a proxy waits, by its NAT type. */
  readonly poolOfProxy: Readonly<Record<NatType, PoolName>>;
  readonly poolsForClient: PoolsForClient;
  /** Whether one proxy of a pool is taken before another: an order without ties. */
  readonly comesBefore: (one: Candidate, other: Candidate) => boolean;
  /** How long a poll waits for a client, in ms: whole seconds. */
  readonly proxyDeadline: number;
  /** How long a client waits for an answer, in ms, from when its offer came. */
  readonly clientDeadline: number;

  /** How long a poll waits while its pool is scarce, in ms: whole seconds, from `proxyDeadline` to 28 s. */
  readonly proxyWait: number;
  /**
   * The least that a proxy is told to wait before its next poll, in ms. Go proxies take 0 for their own 5 s. 0: as the
   * reference does.
   */
  readonly leastNextPoll: number;
  /** How long an offer that finds no proxy waits for one, in ms, less than `clientDeadline`; 0: it is denied at once. */
  readonly clientWait: number;
  /** How many offers may do so at once. */
  readonly maxWaitingClients: number;
  /**
   * How many proxies a pool keeps for clients that nothing announces, more than 0: with fewer it is scarce, however few
   * clients come. A small broker must never be without.
   */
  readonly leastReserve: number;
  /** Undefined: poll intervals are as configured. */
  readonly adaptiveInterval: IntervalBounds | undefined;
  /**
   * After how many ms without an answer a second proxy is asked, if there are enough; less than `clientDeadline`.
   * Undefined: never.
   */
  readonly secondChance: number | undefined;
  /** Whether addresses whose proxies do not answer are taken after their peers. */
  readonly silentProxiesLast: boolean;
  /** Whether a client that comes back soon after an answer counts as one that could not connect. */
  readonly learnFromRetries: boolean;
  /** For how many ms a proxy of an unknown NAT type counts as what its address was before; 0: it does not. */
  readonly rememberNat: number;
  /** Whether a client gets a proxy of another country if there is one. */
  readonly avoidSameCountry: boolean;
  /**
   * Whether a client looks in the last of its pools first while that one has more proxies than it needs. A client may be
   * wrong about its NAT: new ones claim to be unrestricted until a channel has failed.
   */
  readonly shareSurplus: boolean;
}

/** Throws if the times of a policy contradict one another: it would strand peers. */
export function assertPolicy(policy: MatchingPolicy): void {
  const { proxyDeadline, proxyWait, clientDeadline, clientWait, secondChance = 0 } = policy;
  const { leastReserve } = policy;
  const refuse = (fault: string) => {
    throw new RangeError(`a matching policy is refused: ${fault}`);
  };
  if (proxyDeadline % 1_000 !== 0 || proxyWait % 1_000 !== 0) {
    refuse(`proxyDeadline (${proxyDeadline}) and proxyWait (${proxyWait}) must be whole seconds`);
  }
  if (proxyDeadline <= 0 || proxyDeadline > proxyWait) {
    refuse(`proxyDeadline (${proxyDeadline}) must be above 0 and at most proxyWait (${proxyWait})`);
  }
  if (proxyWait > LONGEST_PROXY_WAIT) {
    refuse(`proxyWait (${proxyWait}) must be at most ${LONGEST_PROXY_WAIT}: proxies give up then`);
  }
  if (leastReserve <= 0) refuse(`leastReserve (${leastReserve}) must be above 0`);
  if (Math.max(clientWait, secondChance) >= clientDeadline) {
    refuse(
      `clientWait (${clientWait}) and secondChance (${secondChance}) must be ` +
        `less than clientDeadline (${clientDeadline})`,
    );
  }
}

/** Who serves the fewest clients comes first, and among equals who has waited longest. */
function fewestClientsFirst(one: Candidate, other: Candidate): boolean {
  return one.clients === other.clients
    ? one.poolTicket < other.poolTicket
    : one.clients < other.clients;
}

/**
 * The reference broker's policy. Who serves the fewest clients comes first. Among equals its order is an accident of its
 * heap; here it is who has waited longest: otherwise, in a large pool, nearly everybody would wait in vain and poll
 * again, while the last to come were taken.
 */
export const REFERENCE_POLICY: MatchingPolicy = {
  poolOfProxy: POOL_OF_PROXY,
  poolsForClient: POOLS_FOR_CLIENT,
  comesBefore: fewestClientsFirst,
  proxyDeadline: PROXY_DEADLINE,
  clientDeadline: CLIENT_DEADLINE,
  proxyWait: PROXY_DEADLINE,
  leastNextPoll: 0,
  clientWait: 0,
  maxWaitingClients: 0,
  leastReserve: 32,
  adaptiveInterval: undefined,
  secondChance: undefined,
  silentProxiesLast: false,
  learnFromRetries: false,
  rememberNat: 0,
  avoidSameCountry: false,
  shareSurplus: false,
};

/** The policy that is in force unless the operator says otherwise: it matches more people with the same proxies. */
export const REACH_POLICY: MatchingPolicy = {
  ...REFERENCE_POLICY,
  comesBefore: (one, other) =>
    one.unreliable === other.unreliable ? fewestClientsFirst(one, other) : other.unreliable,
  proxyWait: 25_000,
  leastNextPoll: 1_000,
  // A client that waits for longer has too little time left for an answer: those take up to 4 s.
  clientWait: 2_000,
  maxWaitingClients: 5_000,
  // Go proxies never come back sooner than 1 s after a response. With 1 s as the least, one that was matched at once would
  // be held back for longer, since intervals are spread and count from the poll.
  adaptiveInterval: { least: 500, most: 60_000 },
  secondChance: 2_000,
  silentProxiesLast: true,
  rememberNat: 24 * 3_600_000,
  avoidSameCountry: true,
  shareSurplus: true,
};
