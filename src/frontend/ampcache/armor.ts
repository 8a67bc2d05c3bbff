/**
 * AMP armor: bytes in the text of a page, so that they get through a cache that takes, checks and rewrites AMP pages.
 *
 * The text is a format version and base64, and stands in `pre` elements, whose text a cache leaves alone. A decoder
 * takes all of them together and drops the white space. It may hold an element at a time, so they have a limit.
 */

import { PAGE_END, PAGE_START } from "./armor-page.ts";

const FORMAT_VERSION = "0";

/** Characters in a line. */
const LINE = 32;

/** Characters in an element, less than 32 KiB with their line ends. */
const ELEMENT = 992 * LINE;

/** Armors a response; a string stands for its UTF-8. */
export function encodeAmpArmor(response: string | Uint8Array): string {
  const text = FORMAT_VERSION + Buffer.from(response).toString("base64");
  let page = PAGE_START;
  for (let element = 0; element < text.length; element += ELEMENT) {
    const end = Math.min(element + ELEMENT, text.length);
    page += "<pre>\n";
    for (let line = element; line < end; line += LINE) page += `${text.slice(line, line + LINE)}\n`;
    page += "</pre>\n";
  }
  return page + PAGE_END;
}
