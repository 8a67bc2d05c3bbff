/**
 * Clients that write to a queue of SQS and read their response from one of their own. The calls are made by hand and
 * not signed: a stand-in does not ask for it, and what Amazon's SDK costs shall be the broker's cost alone.
 */

import type { ClientWay } from "./client-way.ts";
import { HttpConnection } from "./http-connection.ts";
import { BadReply, bodyOf, isRecord, parseObject } from "./messages.ts";

/** The queue that clients write to. */
export const BROKER_QUEUE = "clients";

/** The region of the queue: the one where the stand-in puts whoever does not sign. */
export const REGION = "us-east-1";

/** Longest time for the broker to make its queue, in ms, and how often it is looked for. */
const QUEUE_TIMEOUT = 10_000;
const QUEUE_INTERVAL = 50;

/** How long the service holds a receive while there is no message, in s: the most that it allows. */
const RECEIVE_WAIT = 20;

/** Through SQS on a port of 127.0.0.1. */
export class SqsWay implements ClientWay {
  readonly name = "SQS";
  readonly #connection: HttpConnection;
  readonly #brokerQueueUrl: string;

  constructor(port: number, brokerQueueUrl: string) {
    this.#connection = new HttpConnection(port);
    this.#brokerQueueUrl = brokerQueueUrl;
  }

  /**
   * A client asks again and again whether its own queue is there. This one makes it, which comes to the same, as the
   * service does so once for whoever is first. The queue is left behind, as clients leave theirs.
   */
  async exchange(message: string): Promise<string> {
    const id = crypto.getRandomValues(Buffer.alloc(8)).toString("hex");
    await this.#call("SendMessage", {
      QueueUrl: this.#brokerQueueUrl,
      MessageBody: message,
      MessageAttributes: { ClientID: { DataType: "String", StringValue: id } },
    });
    const { QueueUrl } = await this.#call("CreateQueue", { QueueName: `snowflake-client-${id}` });
    const { Messages } = await this.#call("ReceiveMessage", {
      QueueUrl,
      WaitTimeSeconds: RECEIVE_WAIT,
    });
    const received: unknown = Array.isArray(Messages) ? Messages[0] : undefined;
    const body = isRecord(received) ? received["Body"] : undefined;
    if (typeof body !== "string") throw new BadReply(`${this.name}: no reply`);
    return body;
  }

  close(): void {
    this.#connection.close();
  }

  async #call(
    action: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    const response = await call(this.#connection, action, input);
    return parseObject(bodyOf(response, `${this.name} ${action}`), `${this.name} ${action}`);
  }
}

/** The URL of the broker's queue, as soon as the broker has made it. Rejects if it does not. */
export async function findBrokerQueue(port: number): Promise<string> {
  const connection = new HttpConnection(port);
  const deadline = performance.now() + QUEUE_TIMEOUT;
  try {
    for (;;) {
      const { status, body } = await call(connection, "GetQueueUrl", { QueueName: BROKER_QUEUE });
      const { QueueUrl: url } = parseObject(body, "SQS GetQueueUrl");
      if (status === 200 && typeof url === "string") return url;
      if (performance.now() > deadline) throw new Error("the broker has made no SQS queue");
      await Bun.sleep(QUEUE_INTERVAL);
    }
  } finally {
    connection.close();
  }
}

/** A call of the service, in its JSON protocol. */
function call(
  connection: HttpConnection,
  action: string,
  input: Readonly<Record<string, unknown>>,
) {
  const headers = `Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.${action}\r\n`;
  return connection.send("POST /", headers, JSON.stringify(input));
}
