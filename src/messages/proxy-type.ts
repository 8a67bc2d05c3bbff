/** What kind of program a proxy is. */

/** The kinds that are told apart; every other text means `unknown`. */
export const PROXY_TYPES = [
  "standalone",
  "webext",
  "badge",
  "iptproxy",
  "bloco",
  "unknown",
] as const;

export type ProxyType = (typeof PROXY_TYPES)[number];

const BY_NAME: ReadonlyMap<string, ProxyType> = new Map(PROXY_TYPES.map((type) => [type, type]));

/** Folds the `Type` member, which a proxy may fill as it likes, to a known kind. */
export function foldProxyType(text: string): ProxyType {
  return BY_NAME.get(text) ?? "unknown";
}
