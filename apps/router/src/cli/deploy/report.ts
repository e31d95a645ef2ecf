import { type Deployment, versionOf } from "./deployment.ts";
import { PHASES } from "./journal.ts";
import type { Outcome, Timing } from "./runner.ts";
import { describeVersion } from "./version.ts";

/** How a deploy ended: the one object of `--json`. */
export interface Report {
  readonly ok: boolean;
  /** `deployed`; `finished` what a killed deploy had begun; `untouched`: failed before the switch; `switched back`; `stuck`: see `error`. */
  readonly result: "deployed" | "finished" | "untouched" | "switched back" | "stuck";
  /** The color that clients get now, as far as this deploy knows. */
  readonly serving: string;
  readonly color: string;
  readonly from: string;
  readonly ref: string;
  readonly version: string | null;
  readonly digest: string | null;
  readonly phases: readonly Timing[];
  readonly failed_phase?: string;
  /** One sentence. */
  readonly error?: string;
  readonly warnings: readonly string[];
  /** What the failing version printed last. */
  readonly log?: readonly string[];
}

function facts(deployment: Deployment, timings: readonly Timing[]) {
  const { color, old, warnings } = deployment;
  const { ref, version, digest } = versionOf(deployment);
  return { color, from: old.color, ref, version, digest, phases: timings, warnings };
}

export function succeeded(
  deployment: Deployment,
  timings: readonly Timing[],
  result: "deployed" | "finished",
): Report {
  // a finished deploy's color serves, and the one that was looked at for this one is idle
  const serving = result === "finished" ? deployment.old.color : deployment.color;
  const from = result === "finished" ? deployment.color : deployment.old.color;
  return { ok: true, result, serving, ...facts(deployment, timings), color: serving, from };
}

export function failed(
  deployment: Deployment,
  { timings, failure }: Outcome,
  log: readonly string[],
): Report {
  const { phase, error, problems, stuck } = failure!;
  const { color, old } = deployment;
  const switched = PHASES.indexOf(phase) >= PHASES.indexOf("switch");
  const result = stuck ? "stuck" : switched ? "switched back" : "untouched";
  const after = {
    stuck: "",
    "switched back": ` ${old.color} serves again, and ${color} is stopped.`,
    untouched: ` ${old.color} serves untouched, and ${color} is stopped.`,
  }[result];
  const why = error.message.replace(/\.$/, "");
  const rest = [...problems, ...(problems.length > 0 && !stuck ? [] : [after.trim()])]
    .filter(Boolean)
    .join(" ");
  return {
    ok: false,
    result,
    serving: stuck ? "unknown" : old.color,
    ...facts(deployment, timings),
    failed_phase: phase,
    error: `the deploy failed (${phase}): ${why}. ${rest}`.trim(),
    log,
  };
}

export function describeSuccess(deployment: Report): string {
  const { result, color, from, ref, version, digest } = deployment;
  const what = describeVersion({ kind: "image", ref, version, digest, targets: [] });
  const verb =
    result === "finished" ? "was deployed by a killed deploy, which is finished now" : "is deployed";
  return `${what} ${verb}: ${color} serves, ${from} was before.`;
}
