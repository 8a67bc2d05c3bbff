/** Addresses in all their written forms, for property tests. */

import fc from "fast-check";

export interface AddressOptions {
  /** Digits that groups are made of, without letters. */
  readonly digits: string;
  /** All characters that groups are made of. */
  readonly hex: string;
}

const text = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });

/** Four groups of one to three digits; at times a port. */
export function ipv4({ digits }: AddressOptions): fc.Arbitrary<string> {
  const groups = fc.array(text(digits, 1, 3), { minLength: 4, maxLength: 4 });
  return fc.tuple(groups, fc.constantFrom("", ":2", ":11211", "%3A2121")).map(([four, port]) => {
    return four.join(".") + port;
  });
}

/**
 * Eight groups, or six and an embedded IPv4; some left out for `::`; any letter case; colons percent-encoded; a zone;
 * brackets; a port after these. There is a digit in each.
 */
export function ipv6(options: AddressOptions): fc.Arbitrary<string> {
  const { digits, hex } = options;
  const embedded = fc.array(text(digits, 1, 3), { minLength: 4, maxLength: 4 });
  return fc
    .record({
      // A first group of letters only could be a name before a colon.
      first: fc.tuple(text(digits, 1, 1), text(hex, 0, 3)).map(([digit, rest]) => digit + rest),
      rest: fc.array(text(hex, 1, 4), { minLength: 7, maxLength: 7 }),
      embedded: fc.option(embedded, { nil: undefined }),
      compressed: fc.option(fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 8 })), {
        nil: undefined,
      }),
      colon: fc.constantFrom(":", ":", "%3a", "%3A"),
      uppercase: fc.boolean(),
      zone: fc.constantFrom("", "", "%eth0", "%25wlan0.100", "%2"),
      enclosure: fc.constantFrom("none", "brackets", "port"),
    })
    .map((form) => {
      const groups = [form.first, ...form.rest];
      if (form.embedded !== undefined) groups.splice(6, 2, form.embedded.join("."));
      let address = groups.join(":");
      if (form.compressed !== undefined) {
        const [from, count] = form.compressed;
        address = `${groups.slice(0, from).join(":")}::${groups.slice(from + count).join(":")}`;
      }
      if (form.uppercase) address = address.toUpperCase();
      return { ...form, address };
    })
    .filter(({ address }) => [...address].some((character) => digits.includes(character)))
    .map(({ address, colon, zone, enclosure }) => {
      const whole = address.replaceAll(":", colon) + zone;
      if (enclosure === "none") return whole;
      return enclosure === "port" ? `[${whole}]${colon}1122` : `[${whole}]`;
    });
}
