/** The rendezvous through Amazon SQS: how its parts hang together. */

import type { Logger } from "../../log/logger.ts";
import { systemClock } from "../../system/system-clock.ts";
import type { Destination } from "../rendezvous.ts";
import { CLIENT_QUEUE_PREFIX } from "./client-queue.ts";
import { failureKind } from "./failure.ts";
import { MessageHandler } from "./message-handler.ts";
import { QueueCleaner } from "./queue-cleaner.ts";
import { QueueListener } from "./queue-listener.ts";
import { RecentMessages } from "./recent-messages.ts";
import type { SqsApi } from "./sqs-api.ts";
import { openSqs } from "./sqs-client.ts";
import type { SqsEvents } from "./sqs-events.ts";

export interface SqsOptions {
  readonly destination: Destination;
  /** The queue that clients write to. */
  readonly queueName: string;
  /** The region of that queue; with profiles, of those that name none. */
  readonly region: string;
  /** Names of AWS profiles, each with a queue of its own; an empty name is the default profile. None: no profiles. */
  readonly profiles: readonly string[];
  readonly log: Logger;
  readonly events: SqsEvents;
}

export interface RunningSqs {
  /** Takes nothing more, and resolves when the messages in hand are done with: within 20 s if the service fails. */
  stop(): Promise<void>;
}

/** Messages in hand at once, for each profile. Each waits for an answer for up to 5 s. */
const MAX_IN_HAND = 200;

/** How long a message that was handled is remembered, in ms: longer than it takes the service to deliver it again. */
const REMEMBERED_FOR = 60_000;

/** Messages remembered at most: those of 30 s, after which one comes again, at 500 a second. */
const MAX_REMEMBERED = 16_384;

/**
 * Makes the queue in every account unless it is there, and begins to listen. Rejects, and leaves nothing running, if
 * one of them can't be had: the message is for the operator.
 */
export async function startSqs(options: SqsOptions): Promise<RunningSqs> {
  const { queueName, profiles } = options;
  if (queueName.startsWith(CLIENT_QUEUE_PREFIX)) {
    throw new Error(`an SQS queue named ${CLIENT_QUEUE_PREFIX}... would be deleted as a client's`);
  }
  // Ids are the service's own, and unique wherever they come from.
  const recent = new RecentMessages(MAX_REMEMBERED, REMEMBERED_FOR);
  const profileNames = profiles.length === 0 ? [undefined] : profiles;
  const opened = await Promise.all(
    profileNames.map((profile) => openAccount(options, profile, recent)),
  );
  const accounts = opened.flatMap((one) => (one.ok ? [one.account] : []));
  const errors = opened.flatMap((one) => (one.ok ? [] : [one.error]));
  const closeAll = () => accounts.forEach((account) => account.close());
  if (errors.length > 0) {
    closeAll();
    throw new Error(errors.join("; "));
  }

  const stopping = new AbortController();
  const stopped = Promise.all(accounts.map((account) => account.run(stopping.signal))).then(
    closeAll,
  );
  return {
    stop() {
      stopping.abort();
      return stopped;
    },
  };
}

/** A queue that can be had, and what there is to be done. */
interface Account {
  /** Listens and cleans up until `stop` aborts. */
  run(stop: AbortSignal): Promise<unknown>;
  close(): void;
}

type OpenedAccount =
  | { readonly ok: true; readonly account: Account }
  /** `error`: what the operator has to mend. */
  | { readonly ok: false; readonly error: string };

async function openAccount(
  { destination, queueName, region: givenRegion, log, events }: SqsOptions,
  profile: string | undefined,
  recent: RecentMessages,
): Promise<OpenedAccount> {
  const clock = systemClock;
  let api: SqsApi | undefined;
  try {
    const opened = await openSqs({ profile, region: givenRegion }, log);
    api = opened.api;
    const handler = new MessageHandler({ api, destination, recent, clock, log, events });
    const listener = new QueueListener({
      api,
      queueName,
      handle: (queueUrl, message) => handler.handle(queueUrl, message),
      maxInHand: MAX_IN_HAND,
      clock,
      random: Math.random,
      log,
      events,
    });
    const cleaner = new QueueCleaner({ api, clock, timeOfDay: Date.now, log, events });
    const url = await listener.open();
    log.info("listening to SQS", {
      queue: queueName,
      ...(profile === undefined ? {} : { profile }),
      region: opened.region,
      url,
    });
    const account: Account = {
      run: (stop) => Promise.all([listener.run(stop), cleaner.run(stop)]),
      close: () => opened.api.close(),
    };
    return { ok: true, account };
  } catch (error) {
    api?.close();
    const whose = profile === undefined ? "" : ` of the profile ${JSON.stringify(profile)}`;
    const why = error instanceof Error ? `${failureKind(error)}: ${error.message}` : String(error);
    return { ok: false, error: `cannot listen to the SQS queue ${queueName}${whose}: ${why}` };
  }
}
