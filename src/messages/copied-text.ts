/** Text that outlives the message it was cut from. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A copy of a short, well-formed text. A string that was cut out of another keeps the whole of it in memory: a waiting
 * proxy would hold its poll of up to 100 kB for its session id of 22 characters.
 */
export function copyText(text: string): string {
  return decoder.decode(encoder.encode(text));
}
