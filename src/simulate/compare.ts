/** Runs a scenario with several policies and seeds. */

import { reportPolicy } from "./figures.ts";
import type { PolicyParts } from "./policies.ts";
import type { ScenarioReport } from "./report.ts";
import { run } from "./run.ts";
import type { Scenario } from "./scenario.ts";

export interface Comparison {
  readonly policies: ReadonlyMap<string, PolicyParts>;
  readonly seeds: readonly number[];
  /** undefined: the scenario's own. Of no use for a scenario that is never smaller. */
  readonly scale: number | undefined;
  /** Told which run goes on, and which share of it is done. */
  readonly onProgress: (run: string, share: number) => void;
}

/** Throws if a broker is not consistent at the end of a run: its figures would mean nothing. */
export function compare(scenario: Scenario, comparison: Comparison): ScenarioReport {
  const { policies, seeds, onProgress } = comparison;
  const { name, meaning, duration } = scenario;
  const scale = scenario.scale === undefined ? 1 : (comparison.scale ?? scenario.scale);
  const reports = [...policies].map(([policy, parts]) => {
    const runs = seeds.map((seed) => {
      const title = `${name}, ${policy}, seed ${seed}`;
      const result = run(scenario, parts, {
        seed,
        scale,
        onProgress: (share) => onProgress(title, share),
      });
      if (result.faults.length > 0) {
        throw new Error(`${title}: the broker is not consistent: ${result.faults.join("; ")}`);
      }
      return { seed, ...result };
    });
    return reportPolicy(policy, runs, { duration, scale });
  });
  return { scenario: name, meaning, scale, duration, seeds, policies: reports };
}
