/** The calls of Amazon SQS, made with Amazon's SDK: the one place where that stands. */

import type { Logger } from "../../log/logger.ts";
import { within } from "./call-deadline.ts";
import {
  CALL_DEADLINE,
  type QueuePage,
  RECEIVE_WAIT,
  type ReceivedMessage,
  type SqsApi,
} from "./sqs-api.ts";

/** Whose queue it is. */
export interface SqsAccount {
  /**
   * A profile of the AWS configuration files, for credentials and region; empty: the default one. Undefined: no
   * profile is asked for, and the region is the given one.
   */
  readonly profile: string | undefined;
  /** The region, or with a profile the one to take if the environment and the profile name none. */
  readonly region: string;
}

export interface OpenedSqs {
  readonly api: SqsApi;
  /** The region that was decided on. */
  readonly region: string;
}

/** Queues that a page lists at most: the service's limit. */
const PAGE_SIZE = 1_000;

/**
 * Loads the SDK, which costs time and memory that only those pay who use it, and sets it up. Credentials, endpoint
 * (`AWS_ENDPOINT_URL_SQS`, `AWS_ENDPOINT_URL`) and number of attempts are found as the SDK finds them. Nothing is
 * called yet. Rejects if the region is no region.
 */
export async function openSqs(account: SqsAccount, log: Logger): Promise<OpenedSqs> {
  const [sdk, { FetchHttpHandler }] = await Promise.all([
    import("@aws-sdk/client-sqs"),
    import("@smithy/fetch-http-handler"),
  ]);
  const { profile } = account;
  const settings = {
    ...(profile === undefined || profile === "" ? {} : { profile }),
    logger: sdkLogger(log),
  };
  const region = (profile === undefined ? undefined : await ownRegion()) ?? account.region;
  const client = new sdk.SQSClient({
    ...settings,
    region,
    // By the runtime's fetch, since it goes through the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It holds up to
    // 256 connections, more than are ever needed at once.
    requestHandler: new FetchHttpHandler(),
    // Else the host in a queue's URL would go before the configured endpoint, with that URL in a warning on the console.
    useQueueUrlAsEndpoint: false,
    // Else one message that fails the check would take the whole batch with it. TLS checks the same.
    md5: false,
  });

  /** The region that the environment or the profile names. */
  async function ownRegion(): Promise<string | undefined> {
    const probe = new sdk.SQSClient(settings);
    try {
      return await probe.config.region();
    } catch (error) {
      if (error instanceof Error && error.message === "Region is missing") return undefined;
      throw error;
    } finally {
      probe.destroy();
    }
  }

  const call = <T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>) =>
    within(CALL_DEADLINE, (abortSignal) => send({ abortSignal }));

  const api: SqsApi = {
    async createQueue(name, retention) {
      const attributes =
        retention === undefined
          ? {}
          : { Attributes: { MessageRetentionPeriod: retention.toString() } };
      const command = new sdk.CreateQueueCommand({ QueueName: name, ...attributes });
      const { QueueUrl } = await call((options) => client.send(command, options));
      if (QueueUrl === undefined) throw new Error("the service gave no URL for a queue");
      return QueueUrl;
    },

    async receive(queueUrl, most, stop) {
      const command = new sdk.ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: most,
        WaitTimeSeconds: RECEIVE_WAIT,
        MessageAttributeNames: ["All"],
      });
      const { Messages } = await within(
        RECEIVE_WAIT * 1_000 + CALL_DEADLINE,
        (abortSignal) => client.send(command, { abortSignal }),
        stop,
      );
      return (Messages ?? []).flatMap((message): ReceivedMessage[] => {
        const { MessageId, ReceiptHandle, MessageAttributes, Body = "" } = message;
        // The service gives every delivery both.
        if (MessageId === undefined || ReceiptHandle === undefined) return [];
        const clientId = MessageAttributes?.["ClientID"]?.StringValue;
        return [{ id: MessageId, receipt: ReceiptHandle, clientId, body: Body }];
      });
    },

    async send(queueUrl, body) {
      const command = new sdk.SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body });
      await call((options) => client.send(command, options));
    },

    async deleteMessage(queueUrl, receipt) {
      const command = new sdk.DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt });
      await call((options) => client.send(command, options));
    },

    async listQueues(prefix, next): Promise<QueuePage> {
      const command = new sdk.ListQueuesCommand({
        QueueNamePrefix: prefix,
        MaxResults: PAGE_SIZE,
        ...(next === undefined ? {} : { NextToken: next }),
      });
      const { QueueUrls, NextToken } = await call((options) => client.send(command, options));
      return { urls: QueueUrls ?? [], next: NextToken };
    },

    async getLastModified(queueUrl) {
      const command = new sdk.GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ["LastModifiedTimestamp"],
      });
      const { Attributes } = await call((options) => client.send(command, options));
      const seconds = Attributes?.["LastModifiedTimestamp"] ?? "";
      if (!/^[0-9]{1,15}$/.test(seconds)) throw new Error("a queue's last change has no time");
      return Number(seconds) * 1_000;
    },

    async deleteQueue(queueUrl) {
      const command = new sdk.DeleteQueueCommand({ QueueUrl: queueUrl });
      await call((options) => client.send(command, options));
    },

    close: () => client.destroy(),
  };
  return { api, region };
}

/** Warnings concern the settings, and name no client; whatever else the SDK logs repeats calls and their replies. */
function sdkLogger(log: Logger) {
  const ignore = () => {};
  return {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (text: unknown) => log.warn("the AWS SDK warns", { text: String(text) }),
    error: ignore,
  };
}
