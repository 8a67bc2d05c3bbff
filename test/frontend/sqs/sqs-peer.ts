/** A client: it writes to the queue of the broker, and waits for the reply at its own. */

import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

export class SqsPeer implements Disposable {
  readonly #client: SQSClient;
  /** The URLs of queues that were there. */
  readonly #urls = new Map<string, string>();

  constructor(region: string) {
    this.#client = new SQSClient({
      region,
      useQueueUrlAsEndpoint: false,
      // As many as there are clients: each waits for its reply on one.
      requestHandler: { httpAgent: { maxSockets: 1_000 } },
    });
  }

  /** Writes a message to the queue; without an id, it names no client. */
  async send(queue: string, body: string, clientId?: string): Promise<void> {
    const attributes =
      clientId === undefined
        ? {}
        : { MessageAttributes: { ClientID: { DataType: "String", StringValue: clientId } } };
    await this.#client.send(
      new SendMessageCommand({
        QueueUrl: await this.#url(queue),
        MessageBody: body,
        ...attributes,
      }),
    );
  }

  /**
   * The reply, as soon as there is one. A client asks again and again whether its queue is there; making it, which
   * the service does once for whoever comes first, comes to the same and leaves the processor to the broker.
   */
  async reply(clientId: string): Promise<string> {
    const { QueueUrl } = await this.#client.send(
      new CreateQueueCommand({ QueueName: `snowflake-client-${clientId}` }),
    );
    const { Messages } = await this.#client.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }),
    );
    const body = Messages?.at(0)?.Body;
    if (body === undefined) throw new Error("no reply");
    return body;
  }

  /** How many messages of the queue are there, waiting or taken, but not deleted. */
  async undeleted(queue: string): Promise<number> {
    const { Attributes } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: await this.#url(queue), AttributeNames: ["All"] }),
    );
    return (
      Number(Attributes?.ApproximateNumberOfMessages) +
      Number(Attributes?.ApproximateNumberOfMessagesNotVisible)
    );
  }

  /** Changes how long the queue keeps messages, in seconds. */
  async setRetention(queue: string, seconds: number): Promise<void> {
    await this.#client.send(
      new SetQueueAttributesCommand({
        QueueUrl: await this.#url(queue),
        Attributes: { MessageRetentionPeriod: seconds.toString() },
      }),
    );
  }

  /** Whether there is such a queue. */
  async has(queue: string): Promise<boolean> {
    return (await this.#find(queue)) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #url(queue: string): Promise<string> {
    const known = this.#urls.get(queue) ?? (await this.#find(queue));
    if (known === undefined) throw new Error("no such queue");
    this.#urls.set(queue, known);
    return known;
  }

  /** The URL of a queue; undefined if it is not there. */
  async #find(queue: string): Promise<string | undefined> {
    try {
      const { QueueUrl } = await this.#client.send(new GetQueueUrlCommand({ QueueName: queue }));
      return QueueUrl;
    } catch (error) {
      if (error instanceof QueueDoesNotExist) return undefined;
      throw error;
    }
  }
}
