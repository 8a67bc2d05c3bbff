import { expect, test } from "bun:test";

import { parseTestReport, withSkipsFailed } from "../../scripts/test-report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="3" failures="1" skipped="2" time="0.2">
  <testsuite name="a.test.ts" tests="5" failures="1" skipped="2" time="0.2">
    <testcase name="passes" classname="" time="0.1" assertions="1" />
    <testcase name="fails" classname="" time="0.1" assertions="1">
      <failure type="AssertionError" />
    </testcase>
    <testcase name="interop/newest-peers" classname="" time="0" assertions="0">
      <skipped />
    </testcase>
    <testcase name="another" classname="" time="0" assertions="0">
      <skipped />
    </testcase>
    <testcase name="passes too" classname="" time="0.1" assertions="1" />
  </testsuite>
</testsuites>
`;

test("a report has its counts and the names of what was skipped", () => {
  expect(parseTestReport(REPORT)).toEqual({
    passed: 2,
    failed: 1,
    skipped: ["interop/newest-peers", "another"],
  });
});

test("a report that was not written is a failure", () => {
  expect(parseTestReport("")).toEqual({ passed: 0, failed: 1, skipped: [] });
});

test("a skipped test that has to run is a failure", () => {
  const strict = withSkipsFailed(parseTestReport(REPORT), new Set(["interop/newest-peers"]));
  expect(strict).toEqual({ passed: 2, failed: 2, skipped: ["interop/newest-peers"] });
});
