/** Decodes the Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). */

/** Bits of the code of each byte, and of the end sign. The code is canonical, so that the lengths define it. */
export const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const END_SIGN = 256;
const LONGEST_CODE = 30;
/** Bits of the shortest code. A string grows by 8/5 at most, and four bits complete at most one code. */
const SHORTEST_CODE = 5;

/** Flags of an entry of the table. Its lowest byte is the next state, the second is the decoded byte. */
const EMITS = 0x1_0000;
const FAILS = 0x2_0000;

/** 16 entries for each state, one for each value of four bits. A state is an inner node of the code's tree. */
const table = new Uint32Array(256 * 16);
/** 1: a string may end in this state, since its padding is at most seven ones. */
const mayEnd = new Uint8Array(256);
buildTable();

/** The most bytes that a string of `length` bytes can decode to. */
export function mostDecoded(length: number): number {
  return Math.floor((length * 8) / SHORTEST_CODE);
}

/**
 * Decodes the bytes from `start` up to `end` into `into`, which must have room for `mostDecoded`. Returns the number of
 * decoded bytes. -1: the code is wrong.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
): number {
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const high = table[(state << 4) | (byte >> 4)] ?? FAILS;
    if (high & EMITS) into[length++] = high >> 8;
    const low = table[((high & 0xff) << 4) | (byte & 15)] ?? FAILS;
    if (low & EMITS) into[length++] = low >> 8;
    if ((high | low) & FAILS) return -1;
    state = low & 0xff;
  }
  return mayEnd[state] === 1 ? length : -1;
}

function buildTable(): void {
  // The children of node n are tree[2n] and tree[2n + 1]: a node, or the complement of a symbol.
  const tree = buildTree();
  for (let state = 0; state < 256; state++) {
    for (let bits = 0; bits < 16; bits++) table[(state << 4) | bits] = entryFor(tree, state, bits);
  }
  for (let ones = 0, node = 0; ones <= 7; ones++) {
    mayEnd[node] = 1;
    node = tree[2 * node + 1] ?? 0;
  }
}

function entryFor(tree: Int16Array, state: number, bits: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = tree[2 * node + ((bits >> bit) & 1)] ?? 0;
    if (node >= 0) continue;
    if (~node === END_SIGN) return FAILS;
    emitted = EMITS | (~node << 8);
    node = 0;
  }
  return emitted | node;
}

/** Canonical: shorter codes come first, and of equal length those of lower bytes. */
function buildTree(): Int16Array {
  const tree = new Int16Array(2 * 256);
  let nodes = 1;
  let code = 0;
  for (let length = SHORTEST_CODE; length <= LONGEST_CODE; length++) {
    code *= 2;
    for (const [symbol, codeLength] of CODE_LENGTHS.entries()) {
      if (codeLength !== length) continue;
      let node = 0;
      for (let bit = length - 1; bit > 0; bit--) {
        const child = 2 * node + ((code >> bit) & 1);
        if (tree[child] === 0) tree[child] = nodes++;
        node = tree[child] ?? 0;
      }
      tree[2 * node + (code & 1)] = ~symbol;
      code++;
    }
  }
  return tree;
}
