/** How long a server makes a peer wait that asks for next to nothing: as long as the server does something else. */

import { HttpConnection } from "./http-connection.ts";
import { percentile } from "./statistics.ts";

/** From one question to the next, in ms. A stall is seen up to so much too short. */
const INTERVAL = 5;
/** Of the peer that asks: public, and none of the proxies'. */
const ADDRESS = "128.0.0.1";

/** What was seen since the last reading. Times in ms. */
export interface StallReading {
  /** The longest time to an answer. */
  readonly longest: number;
  readonly median: number;
  readonly p99: number;
  /** The most that a question came too late: so much of `longest` may be the probe's own. */
  readonly late: number;
  readonly answers: number;
}

/** Asks for `/robots.txt` again and again, on one connection of HTTP/1.1. */
export class StallProbe {
  readonly #connection: HttpConnection;
  #times: number[] = [];
  #late = 0;
  #failure: unknown;
  #stopped = false;

  constructor(port: number, tls: boolean) {
    this.#connection = new HttpConnection(port, tls);
    void this.#run();
  }

  /** Begins anew. Throws what has ended the probe, if anything has. */
  take(): StallReading {
    if (this.#failure !== undefined)
      throw new Error("the probe has got no answer", { cause: this.#failure });
    const times = this.#times.toSorted((a, b) => a - b);
    const reading = {
      longest: percentile(times, 100),
      median: percentile(times, 50),
      p99: percentile(times, 99),
      late: this.#late,
      answers: times.length,
    };
    this.#times = [];
    this.#late = 0;
    return reading;
  }

  /** Ends it. */
  close(): void {
    this.#stopped = true;
    this.#connection.close();
  }

  async #run(): Promise<void> {
    let due = performance.now();
    try {
      while (!this.#stopped) {
        const asked = performance.now();
        const { status } = await this.#connection.get("/robots.txt", ADDRESS);
        if (status !== 200) throw new Error(`/robots.txt: HTTP status ${status}`);
        const answered = performance.now();
        this.#times.push(answered - asked);
        this.#late = Math.max(this.#late, asked - due);
        due = Math.max(due + INTERVAL, answered);
        await Bun.sleep(Math.max(0, due - answered));
      }
    } catch (error) {
      if (!this.#stopped) this.#failure = error;
    }
  }
}
