/**
 * Hides how many there were exactly: the smallest multiple of 8 that is not below the count. An exact count of a rare
 * combination (one country, one NAT type) would tell of single people. Greater counts never round to less, so a counter
 * stays a counter and the buckets of a histogram stay cumulative.
 */
export function roundUpToEight(count: number): number {
  return Math.ceil(count / 8) * 8;
}
