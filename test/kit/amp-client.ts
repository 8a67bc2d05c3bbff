/** What a client of the AMP cache rendezvous does: its message into a path, and the response out of a page. */

/** The path below the route. What stands between version and message differs from client to client. */
export function encodeAmpPath(message: Uint8Array, breaker = "w7kZ"): string {
  return `0${breaker}/${Buffer.from(message).toString("base64url")}`;
}

/**
 * Reads an armored page: the text of all its `pre` elements, without ASCII white space, is the version 0 and base64.
 * Throws if the page is not that.
 */
export function decodeAmpArmor(page: string): Uint8Array {
  const texts = [...page.matchAll(/<pre>([^<]*)<\/pre>/g)].map(([, text = ""]) => text);
  const armor = texts.join("").replaceAll(/[\t\n\f\r ]/g, "");
  const base64 = armor.slice(1);
  if (!armor.startsWith("0")) throw new Error("no armor of version 0");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) {
    throw new Error("the armor is not base64");
  }
  return Buffer.from(base64, "base64");
}

/** The response in an armored page. */
export function readAmpResponse(page: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(decodeAmpArmor(page));
}
