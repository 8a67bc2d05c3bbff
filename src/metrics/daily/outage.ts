/** Work that is done again and again, and may fail for a while. */

/** Tells of the first failure of an outage, which ends when the work goes well again, and counts all of them. */
export class Outage {
  readonly #message: string;
  readonly #onTrouble: (message: string) => void;
  #lasting = false;
  #failures = 0;

  /** `message`: what fails, and what that means; the reason is added. */
  constructor(message: string, onTrouble: (message: string) => void) {
    this.#message = message;
    this.#onTrouble = onTrouble;
  }

  /** How often the work has failed, in all outages. */
  get failures(): number {
    return this.#failures;
  }

  /** Does the work; whether it went well. */
  async during(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#lasting = false;
      return true;
    } catch (error) {
      this.#failures++;
      if (!this.#lasting) this.#onTrouble(`${this.#message}: ${reason(error)}`);
      this.#lasting = true;
      return false;
    }
  }
}

/** An error in words, for an operator. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
