/** What decoding a message at the edge gives: a value that can't be wrong, or why there is none. */

/** Why a message was refused: a small, fixed vocabulary, fit for a metric's label. */
export type Refusal =
  | "version"
  | "json"
  | "session-id"
  | "relay-pattern"
  | "no-description"
  | "description"
  | "fingerprint"
  | "nat-type"
  | "candidate";

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly refusal: Refusal;
      /** The text that clients are sent; proxies only get a status. */
      readonly error: string;
    };

export function accept<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

export function refuse(refusal: Refusal, error: string): Decoded<never> {
  return { ok: false, refusal, error };
}
