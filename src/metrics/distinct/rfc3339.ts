/** Times as text: RFC 3339, such as `2026-08-01T14:00:00.25+02:00`. */

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
const MILLISECONDS_PER_MINUTE = 60_000;

/**
 * Reads a time as nanoseconds since 1970, UTC; undefined if it is none. Digits beyond nanoseconds are cut off. Leap
 * seconds are refused.
 */
export function parseRfc3339(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  const [fraction = "", sign = "+", offsetHours = "0", offsetMinutes = "0"] = match.slice(7);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  // Date.UTC would take years below 100 for those of the 20th century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (sign === "-" ? -1 : 1) * (Number(offsetHours) * 60 + Number(offsetMinutes));
  const minutes = hour * 60 + minute - offset;
  const milliseconds = date.getTime() + minutes * MILLISECONDS_PER_MINUTE + second * 1000;
  const nanoseconds = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return BigInt(milliseconds) * NANOSECONDS_PER_MILLISECOND + nanoseconds;
}

/**
 * Writes a time (whole milliseconds since 1970) in a zone that is so many minutes east of UTC. The fraction has no
 * trailing zeros, and is absent if it is zero.
 */
export function formatRfc3339(time: number, offset: number): string {
  const local = new Date(time + offset * MILLISECONDS_PER_MINUTE).toISOString();
  const fraction = local.slice(19, 23).replace(/\.?0+$/, "");
  return local.slice(0, 19) + fraction + formatOffset(offset);
}

/** As `formatRfc3339`, without the fraction. */
export function formatRfc3339Seconds(time: number, offset: number): string {
  return formatRfc3339(Math.floor(time / 1000) * 1000, offset);
}

function formatOffset(offset: number): string {
  if (offset === 0) return "Z";
  const minutes = Math.abs(offset);
  const hh = String(Math.floor(minutes / 60)).padStart(2, "0");
  const mm = String(minutes % 60).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${hh}:${mm}`;
}
