/**
 * How a parent knows that its worker is not frozen: the worker writes a byte to its standard output every second, from
 * the event loop that serves its peers. The byte says whether it listens yet: it may be waiting for a certificate.
 */

import { writeSync } from "node:fs";

/** Milliseconds between two signs. */
export const SIGN_EVERY = 1_000;

const LISTENING = "+";
const NOT_YET = "-";

/** Whether one of the signs in what came from a worker says that it listens. */
export function saysListening(chunk: Uint8Array): boolean {
  return chunk.includes(LISTENING.charCodeAt(0));
}

/** Sends signs for as long as the process lives. Returns what sends one at once, for when it begins to listen. */
export function sendSignsOfLife(isListening: () => boolean): () => void {
  const send = () => {
    try {
      writeSync(process.stdout.fd, isListening() ? LISTENING : NOT_YET);
    } catch {
      // The parent has died, and this process is about to stop: standard input has closed.
    }
  };
  send();
  setInterval(send, SIGN_EVERY);
  return send;
}
