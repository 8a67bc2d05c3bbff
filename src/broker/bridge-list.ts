/** The bridges that clients may ask for, and the file that lists them. */

import { type Fingerprint, parseFingerprint } from "../messages/fingerprint.ts";
import { JsonMembers } from "../messages/json-members.ts";
import { withoutByteOrderMark } from "../messages/utf8.ts";

/** The bridge of a client that names none. */
const DEFAULT_FINGERPRINT = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";

type BridgeKey = Fingerprint | typeof DEFAULT_FINGERPRINT;

/** Which bridges there are, and the WebSocket URL by which a proxy reaches each. */
export class BridgeList {
  readonly #relayUrls: ReadonlyMap<BridgeKey, string>;
  readonly #hosts: readonly string[];

  constructor(relayUrls: ReadonlyMap<BridgeKey, string>) {
    this.#relayUrls = relayUrls;
    this.#hosts = [...new Set([...relayUrls.values()].flatMap(hostsOf))];
  }

  get size(): number {
    return this.#relayUrls.size;
  }

  /** The URL of a bridge, exactly as configured; undefined if the bridge is not in the list. No name: the default bridge. */
  relayUrl(fingerprint: Fingerprint | undefined): string | undefined {
    return this.#relayUrls.get(fingerprint ?? DEFAULT_FINGERPRINT);
  }

  /**
   * The host names of the relay URLs, each once, in lower case and without brackets. A relay URL that is none has no
   * host here: proxies can't reach it either.
   */
  hosts(): readonly string[] {
    return this.#hosts;
  }
}

/** The list where no file is configured. */
export const DEFAULT_BRIDGES = new BridgeList(
  new Map([[DEFAULT_FINGERPRINT, "wss://snowflake.torproject.net/"]]),
);

export type ParsedBridgeList =
  | { readonly ok: true; readonly bridges: BridgeList }
  /** `error` names the line and what is wrong with it. */
  | { readonly ok: false; readonly error: string };

/**
 * Reads a bridge list: one JSON object a line, with the members `displayName`, `webSocketAddress` and `fingerprint`.
 * One wrong line spoils the whole; blank lines, a byte order mark and CRLF are as editors leave them; of two lines with
 * one fingerprint the later counts. A text without lines is a list without bridges.
 */
export function parseBridgeList(text: string): ParsedBridgeList {
  const lines = withoutByteOrderMark(text).split("\n");
  const relayUrls = new Map<BridgeKey, string>();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const bridge = parseBridge(line);
    if (!bridge.ok) return { ok: false, error: `line ${index + 1}: ${bridge.error}` };
    relayUrls.set(bridge.fingerprint, bridge.relayUrl);
  }
  return { ok: true, bridges: new BridgeList(relayUrls) };
}

type ParsedBridge =
  | { readonly ok: true; readonly fingerprint: Fingerprint; readonly relayUrl: string }
  | { readonly ok: false; readonly error: string };

const MEMBERS = new JsonMembers<{ relayUrl: string; fingerprint: string }>({
  displayName: (json) => json.string(""),
  webSocketAddress: (json, it) => (it.relayUrl = json.string(it.relayUrl)),
  fingerprint: (json, it) => (it.fingerprint = json.string(it.fingerprint)),
});

function parseBridge(line: string): ParsedBridge {
  const bridge = { relayUrl: "", fingerprint: "" };
  let unknown: string | undefined;
  const error = MEMBERS.read(line, bridge, (name) => {
    unknown ??= name;
  });
  if (error !== undefined) return { ok: false, error };
  if (unknown !== undefined) {
    return { ok: false, error: `unknown member ${JSON.stringify(unknown.slice(0, 100))}` };
  }
  const fingerprint = parseFingerprint(bridge.fingerprint);
  if (fingerprint === undefined) {
    return { ok: false, error: 'member "fingerprint" must be 40 or 64 hexadecimal digits' };
  }
  return { ok: true, fingerprint, relayUrl: bridge.relayUrl };
}

function hostsOf(relayUrl: string): string[] {
  const host = URL.parse(relayUrl)?.hostname ?? "";
  return host === "" ? [] : [host.replace(/^\[(.*)\]$/, "$1")];
}
