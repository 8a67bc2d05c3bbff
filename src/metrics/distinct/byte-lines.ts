/** Lines out of a stream of bytes of any length. */

export type ByteLine =
  | {
      readonly kind: "line";
      /** Without the line feed. */
      readonly bytes: Uint8Array;
      /** Whether a line feed ended it; only the last line can lack one. */
      readonly complete: boolean;
    }
  /** A line beyond the limit. None follows it. */
  | { readonly kind: "too-long" };

/** Splits at line feeds. `limit`: bytes that a line may have; about as many are held at most. */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<ByteLine, void, undefined> {
  let held: Uint8Array[] = [];
  let heldLength = 0;
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(0x0a); end !== -1; end = piece.indexOf(0x0a, start)) {
      if (heldLength + end - start > limit) {
        yield { kind: "too-long" };
        return;
      }
      const bytes = Buffer.concat([...held, piece.subarray(start, end)]);
      yield { kind: "line", bytes, complete: true };
      held = [];
      heldLength = 0;
      start = end + 1;
    }
    heldLength += piece.length - start;
    if (heldLength > limit) {
      yield { kind: "too-long" };
      return;
    }
    if (start < piece.length) held.push(piece.subarray(start));
  }
  if (heldLength > 0) yield { kind: "line", bytes: Buffer.concat(held), complete: false };
}
