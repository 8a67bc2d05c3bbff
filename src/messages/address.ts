/** Internet addresses of peers: needed for counting and rate limiting, and never to be seen. */

/** The text that stands for an address wherever it would be printed. */
const SCRUBBED = "[scrubbed]";

/**
 * A peer's address. It prints as `[scrubbed]` in templates, JSON and inspection; whoever needs the text for a purpose
 * that keeps it inside the process asks for it by name.
 */
export class Address {
  readonly #text: string;

  /** `text` is the canonical printed form: dotted IPv4, or RFC 5952 IPv6 with an optional `%zone`. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The canonical text. For hashing and country lookup only. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return SCRUBBED;
  }

  toJSON(): string {
    return SCRUBBED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return SCRUBBED;
  }
}
