import { expect } from "bun:test";

import { startHttpFrontend } from "../kit/http-frontend.ts";
import { describeRendezvous } from "../kit/rendezvous-contract.ts";

describeRendezvous({
  rendezvous: "http",
  clientAddress: "127.0.0.1",
  noticesGone: true,
  async start(destination) {
    const frontend = startHttpFrontend(destination);
    return {
      async send(message, hangUp) {
        const response = await fetch(`${frontend.url}client`, {
          method: "POST",
          body: message,
          signal: hangUp ?? null,
        });
        expect(response.status).toBe(200);
        return response.text();
      },
      async [Symbol.asyncDispose]() {
        await frontend[Symbol.asyncDispose]();
        expect(frontend.bugs).toEqual([]);
      },
    };
  },
});
