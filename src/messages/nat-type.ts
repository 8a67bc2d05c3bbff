/** NAT types, as clients and proxies report them. */

/** The values of the `nat` and `NAT` members; the first three are the old vocabulary, the others the new. */
export const NAT_TYPES = [
  "restricted",
  "unrestricted",
  "unknown",
  "strict",
  "moderate",
  "open",
] as const;

export type NatType = (typeof NAT_TYPES)[number];

const BY_NAME: ReadonlyMap<string, NatType> = new Map(NAT_TYPES.map((nat) => [nat, nat]));

/** Reads a NAT type; an empty text means `unknown`, any other text that is not one of the six is undefined. */
export function parseNatType(text: string): NatType | undefined {
  return text === "" ? "unknown" : BY_NAME.get(text);
}
