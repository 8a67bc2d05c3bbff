/** The generator that the vectors' hashes come from, on halves of 32 bits: BigInt would take seconds. */

/** Calls `visit` with the first `n` outputs, as upper and lower halves. */
export function splitmix64(seed: number, n: number, visit: (hi: number, lo: number) => void): void {
  let stateHi = 0;
  let stateLo = seed;
  for (let i = 0; i < n; i++) {
    const sum = stateLo + 0x7f4a7c15;
    stateHi = (stateHi + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    stateLo = sum >>> 0;
    let hi = stateHi ^ (stateHi >>> 30);
    let lo = stateLo ^ ((stateLo >>> 30) | (stateHi << 2));
    [hi, lo] = [multiplyHigh(hi, lo, 0xbf58476d, 0x1ce4e5b9), Math.imul(lo, 0x1ce4e5b9)];
    [hi, lo] = [hi ^ (hi >>> 27), lo ^ ((lo >>> 27) | (hi << 5))];
    [hi, lo] = [multiplyHigh(hi, lo, 0x94d049bb, 0x133111eb), Math.imul(lo, 0x133111eb)];
    visit((hi ^ (hi >>> 31)) >>> 0, (lo ^ ((lo >>> 31) | (hi << 1))) >>> 0);
  }
}

/** Bits 63..32 of the product of two numbers of 64 bits. */
function multiplyHigh(aHi: number, aLo: number, bHi: number, bLo: number): number {
  const a0 = aLo & 0xffff;
  const a1 = aLo >>> 16;
  const b0 = bLo & 0xffff;
  const b1 = bLo >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = Math.floor((a0 * b1 + (middle & 0xffff)) / 0x10000);
  const high = a1 * b1 + Math.floor(middle / 0x10000) + carry;
  return (high + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0;
}
