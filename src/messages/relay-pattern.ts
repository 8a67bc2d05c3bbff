/** Relay patterns: which relays a proxy is willing to reach. */

/** A pattern taken apart: `^` makes it match one name only, otherwise every name that ends with the suffix. */
export interface RelayPattern {
  readonly exact: boolean;
  readonly suffix: string;
}

/** Reads a pattern; every text is one. A trailing `$` says nothing. */
export function parseRelayPattern(text: string): RelayPattern {
  const body = text.endsWith("$") ? text.slice(0, -1) : text;
  const exact = body.startsWith("^");
  return { exact, suffix: exact ? body.slice(1) : body };
}

/** Whether every name that `narrow` matches is matched by `wide` too, without regard to label boundaries. */
export function covers(wide: RelayPattern, narrow: RelayPattern): boolean {
  if (wide.exact) return narrow.exact && wide.suffix === narrow.suffix;
  return narrow.suffix.endsWith(wide.suffix);
}

/** Whether the pattern admits a host name. */
export function admits(pattern: RelayPattern, host: string): boolean {
  return pattern.exact ? host === pattern.suffix : host.endsWith(pattern.suffix);
}
