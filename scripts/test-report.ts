/** What a run of tests did, by its JUnit report. */

export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  /** The names of the tests that were skipped. */
  readonly skipped: readonly string[];
}

/** Reads the report of `bun test --reporter=junit`. A text without totals counts as one failure. */
export function parseTestReport(xml: string): TestReport {
  const [totals] = /<testsuites [^>]*>/.exec(xml) ?? [];
  if (totals === undefined) return { passed: 0, failed: 1, skipped: [] };
  const count = (attribute: string) =>
    Number(new RegExp(` ${attribute}="(\\d+)"`).exec(totals)?.[1] ?? Number.NaN);
  const skipped = xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g);
  const failed = count("failures");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed,
    skipped: Array.from(skipped, ([, name = ""]) => name),
  };
}

/** The same report where every skipped test that is not in `allowed` is a failure. */
export function withSkipsFailed(report: TestReport, allowed: ReadonlySet<string>): TestReport {
  const skipped = report.skipped.filter((name) => allowed.has(name));
  const refused = report.skipped.length - skipped.length;
  return { ...report, failed: report.failed + refused, skipped };
}
