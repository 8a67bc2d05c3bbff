/** Texts that the core makes and frontends serve, such as the figures for Prometheus. */

import type { Call } from "./codec.ts";
import { TEXT } from "./codec.ts";

/** The longest page, in bytes. */
export const MAX_PAGE = 4 * 1024 * 1024;

/** The most of a page that one frame carries, in bytes. */
const PART = 256 * 1024;

/** One frame of a page's outcome: that there is no such page, or some bytes of it. */
export type PagePart =
  { readonly kind: "none" } | { readonly kind: "more" | "last"; readonly bytes: Uint8Array };

const PART_KINDS = ["none", "more", "last"] as const;

/** Asks for a page by its name. The one call whose outcome may take several frames. */
export const PAGE_CALL: Call<string, PagePart> = {
  kind: 20,
  request: TEXT,
  outcome: {
    write(to, part) {
      to.choice(PART_KINDS, part.kind);
      if (part.kind !== "none") to.raw(part.bytes);
    },
    read(from) {
      const kind = from.choice(PART_KINDS);
      return kind === "none" ? { kind } : { kind, bytes: from.rest() };
    },
  },
};

/** Cuts a page into parts; undefined: there is no such page. Throws if it is too long. */
export function pageParts(page: Uint8Array | undefined): readonly PagePart[] {
  if (page === undefined) return [{ kind: "none" }];
  if (page.length > MAX_PAGE) throw new Error(`a page has more than ${MAX_PAGE} bytes`);
  const parts: PagePart[] = [];
  let at = 0;
  for (; at + PART < page.length; at += PART) {
    parts.push({ kind: "more", bytes: page.subarray(at, at + PART) });
  }
  parts.push({ kind: "last", bytes: page.subarray(at) });
  return parts;
}

/** What became of asking for a page. `unavailable`: there is no core, or it can't make the page now. */
export type PageOutcome =
  | { readonly kind: "page"; readonly bytes: Uint8Array }
  | { readonly kind: "no-such-page" }
  | { readonly kind: "unavailable" };

/** Puts the parts of one page together again. */
export class PageParts {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Takes the next part; undefined: there are more to come. */
  take(part: PagePart): PageOutcome | undefined {
    if (part.kind === "none") return { kind: "no-such-page" };
    this.#parts.push(part.bytes);
    this.#length += part.bytes.length;
    if (this.#length > MAX_PAGE) return { kind: "unavailable" };
    if (part.kind === "more") return undefined;
    return { kind: "page", bytes: Buffer.concat(this.#parts) };
  }
}
