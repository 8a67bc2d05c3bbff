import {
  type Family,
  type ParsedCountryTable,
  parseInSlices,
} from "../../src/geoip/country-table.ts";

/** Reads a country file without a pause. */
export function parseCountryTable(bytes: Uint8Array, family: Family): ParsedCountryTable {
  const parsing = parseInSlices(bytes, family);
  for (;;) {
    const step = parsing.next();
    if (step.done === true) return step.value;
  }
}
