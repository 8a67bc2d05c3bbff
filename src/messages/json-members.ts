/** How a JSON object becomes a message: which members it has, and what reads each. */

import { JsonReader } from "./json-reader.ts";

/** Reads the value that the reader is at into the message, which holds what earlier members said. */
export type ReadMember<Message> = (json: JsonReader, message: Message) => void;

/** The members that a kind of message has. Others are passed over. */
export class JsonMembers<Message> {
  readonly #readers = new Map<string, ReadMember<Message>>();

  /** Each under its name as peers usually write it, which is found without folding. Any letter case means the same. */
  constructor(readers: Readonly<Record<string, ReadMember<Message>>>) {
    for (const [name, read] of Object.entries(readers)) {
      this.#readers.set(name, read).set(name.toLowerCase(), read);
    }
  }

  /**
   * Reads a text into `message`. Returns undefined, or what is wrong with the text in words fit for a peer: `message` is
   * not to be used then. `onUnknown` gets the names that are passed over.
   */
  read(text: string, message: Message, onUnknown?: (name: string) => void): string | undefined {
    const json = new JsonReader(text);
    for (let name = json.firstMember(); name !== undefined; name = json.nextMember()) {
      const read = this.#readers.get(name) ?? this.#readers.get(foldName(name));
      if (read !== undefined) read(json, message);
      else {
        onUnknown?.(name);
        json.skip();
      }
    }
    return json.error;
  }
}

/** U+017F is the one letter whose lower case is itself although it folds to an ASCII letter; U+212A lowers to k. */
function foldName(name: string): string {
  return name.replaceAll("\u017f", "s").toLowerCase();
}
