/** How a JSON object becomes a message: which members it has, and what reads each. */

import { JsonReader, type UsualMember } from "./json-reader.ts";

/** Reads the value that the reader is at into the message, which holds what earlier members said. */
export type ReadMember<Message> = (json: JsonReader, message: Message) => void;

interface Member<Message> extends UsualMember {
  readonly read: ReadMember<Message>;
  /** The one that usually follows. */
  readonly next: Member<Message> | undefined;
}

/** The members that a kind of message has. Others are passed over. */
export class JsonMembers<Message> {
  readonly #members = new Map<string, Member<Message>>();
  readonly #first: Member<Message> | undefined;

  /**
   * Each under its name as peers usually write it, and in their order: so it is found without folding, and without
   * looking. Any letter case means the same, and so does any order.
   */
  constructor(readers: Readonly<Record<string, ReadMember<Message>>>) {
    let next: Member<Message> | undefined;
    for (const [name, read] of Object.entries(readers).toReversed()) {
      next = { name, written: `${JSON.stringify(name)}:`, read, next };
      this.#members.set(name, next).set(name.toLowerCase(), next);
    }
    this.#first = next;
  }

  /**
   * Reads a text into `message`. Returns undefined, or what is wrong with the text in words fit for a peer: `message` is
   * not to be used then. `onUnknown` gets the names that are passed over.
   */
  read(text: string, message: Message, onUnknown?: (name: string) => void): string | undefined {
    const json = new JsonReader(text);
    let usual = this.#first;
    for (let name = json.firstMember(usual); name !== undefined; name = json.nextMember(usual)) {
      const member = name === usual?.name ? usual : this.#find(name);
      usual = member?.next;
      if (member !== undefined) member.read(json, message);
      else {
        onUnknown?.(name);
        json.skip();
      }
    }
    return json.error;
  }

  #find(name: string): Member<Message> | undefined {
    const member = this.#members.get(name);
    return member === undefined && FOLDS.test(name) ? this.#members.get(foldName(name)) : member;
  }
}

/** Letters that fold to others which names of members have. */
const FOLDS = /[A-Z\u017f\u212a]/;

/** U+017F is the one letter whose lower case is itself although it folds to an ASCII letter; U+212A lowers to k. */
function foldName(name: string): string {
  return name.replaceAll("\u017f", "s").toLowerCase();
}
