/** Which servers are compared: what `--against` names, beside this broker. */

import { prepareCounting } from "./counting.ts";
import { type GivenOptions, UsageError } from "./options.ts";
import {
  buildGoFloor,
  BUN_FLOOR,
  findPrevious,
  findUpstream,
  OURS,
  type Rival,
  RIVALS,
  type Target,
  UNCOUNTED,
} from "./targets.ts";

/** What `--against` may be given, for the help. */
export const RIVALS_HELP = RIVALS.join("|").replace("previous", "previous=DIR");

/** The rivals that were named. `previous` has the directory of its checkout. */
export function parseRivals(given: GivenOptions): ReadonlyMap<Rival, string> {
  return new Map(
    (given.texts.get("against") ?? []).map((text) => {
      const [, name, directory = ""] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
      const rival = RIVALS.find((known) => known === name);
      if (rival === undefined || (rival === "previous") !== (directory !== ""))
        throw new UsageError(
          `--against: "${text}" is none of ${RIVALS_HELP.replaceAll("|", ", ")}`,
        );
      return [rival, directory];
    }),
  );
}

/** As `parseRivals`, for what only whole brokers can be compared by: neither `uncounted` nor `go-floor`. */
export function parseWholeRivals(given: GivenOptions): ReadonlyMap<Rival, string> {
  const rivals = parseRivals(given);
  if (rivals.has("uncounted") || rivals.has("go-floor"))
    throw new UsageError("--against: only upstream and previous=DIR");
  return rivals;
}

/**
 * This broker, its rivals and the floor. The first is the one that the others are compared with: a broker that this one
 * is to be better than, or `uncounted`, so that the ratios are what counting costs. `built` gets what has to be removed
 * in the end.
 */
export async function chooseTargets(
  rivals: ReadonlyMap<Rival, string>,
  built: DisposableStack,
  signal: AbortSignal,
): Promise<Target[]> {
  const targets = rivals.has("uncounted")
    ? [UNCOUNTED, OURS, built.use(prepareCounting()).target, BUN_FLOOR]
    : [OURS, BUN_FLOOR];
  const previous = rivals.get("previous");
  if (previous !== undefined) targets.unshift(findPrevious(previous));
  if (rivals.has("upstream")) targets.unshift(findUpstream(process.env));
  if (rivals.has("go-floor")) targets.push(built.use(await buildGoFloor(signal)).target);
  return targets;
}
