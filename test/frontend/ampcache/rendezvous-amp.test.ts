import { expect } from "bun:test";

import { encodeAmpPath, readAmpResponse } from "../../kit/amp-client.ts";
import { startHttpFrontend } from "../../kit/http-frontend.ts";
import { describeRendezvous } from "../../kit/rendezvous-contract.ts";

describeRendezvous({
  rendezvous: "ampcache",
  clientAddress: undefined,
  noticesGone: true,
  async start(destination) {
    const frontend = startHttpFrontend(destination);
    return {
      async send(message, hangUp) {
        const url = `${frontend.url}amp/client/${encodeAmpPath(message)}`;
        const response = await fetch(url, { signal: hangUp ?? null });
        expect(response.status).toBe(200);
        return readAmpResponse(await response.text());
      },
      async [Symbol.asyncDispose]() {
        await frontend[Symbol.asyncDispose]();
        expect(frontend.bugs).toEqual([]);
      },
    };
  },
});
