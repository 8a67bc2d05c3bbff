import { afterAll, beforeAll } from "bun:test";

import { describeRendezvous } from "../../kit/rendezvous-contract.ts";
import { AwsEnvironment } from "./aws-environment.ts";
import { FauxqsProcess } from "./fauxqs-process.ts";
import { ListeningBroker, REGION } from "./listening-broker.ts";
import { SqsPeer } from "./sqs-peer.ts";

let fauxqs: FauxqsProcess;
let environment: AwsEnvironment;

beforeAll(async () => {
  fauxqs = await FauxqsProcess.start();
  environment = new AwsEnvironment(fauxqs.endpoint);
});

afterAll(async () => {
  environment[Symbol.dispose]();
  await fauxqs[Symbol.asyncDispose]();
});

describeRendezvous({
  rendezvous: "sqs",
  clientAddress: undefined,
  noticesGone: false,
  async start(destination) {
    const listening = await ListeningBroker.start({ destination });
    const peer = new SqsPeer(REGION);
    return {
      async send(message) {
        const clientId = crypto.randomUUID();
        await peer.send(listening.queue, new TextDecoder().decode(message), clientId);
        return peer.reply(clientId);
      },
      async [Symbol.asyncDispose]() {
        await listening.stop();
        peer[Symbol.dispose]();
      },
    };
  },
});
