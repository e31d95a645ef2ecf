import type { Moment } from "../../core/rollout/plan.ts";
import type { RolloutContext } from "../rollout/ports.ts";

/** What a hook is told. */
export type HookContext = RolloutContext & { readonly phase: string; readonly share: number };

export interface HookFacts {
  readonly hook: string;
  readonly moment: Moment;
  /** The same whenever this hook is asked for at this moment of this rollout: after a crash that may be twice. */
  readonly idempotency_key: string;
  readonly rollout: {
    readonly id: string;
    readonly phase: string;
    /** The candidate's weight, in percent. */
    readonly share: number;
    readonly expect: string;
    readonly by: string;
    readonly reason: string;
  };
  readonly candidate: ColorFacts;
  readonly stable: ColorFacts;
}

interface ColorFacts {
  readonly color: string;
  readonly version: string;
  readonly digest: string;
  readonly targets: readonly string[];
}

export function factsOf(hook: string, moment: Moment, context: HookContext): HookFacts {
  const { id, phase, share, expect, by, reason, candidate, stable, targets } = context;
  const color = ({ color, version, digest }: HookContext["candidate"]) => ({
    color,
    version,
    digest,
    targets: targets(color),
  });
  return {
    hook,
    moment,
    idempotency_key: `${id}:${moment}`,
    rollout: { id, phase, share, expect, by, reason },
    candidate: color(candidate),
    stable: color(stable),
  };
}

/** The same as environment variables. */
export function variablesOf(facts: HookFacts): Record<string, string> {
  const { hook, moment, idempotency_key, rollout, candidate, stable } = facts;
  const of = (role: string, { color, version, digest, targets }: ColorFacts) => ({
    [`SLUICE_${role}`]: color,
    [`SLUICE_${role}_VERSION`]: version,
    [`SLUICE_${role}_DIGEST`]: digest,
    [`SLUICE_${role}_TARGETS`]: targets.join(" "),
  });
  const all = {
    SLUICE_HOOK: hook,
    SLUICE_MOMENT: moment,
    SLUICE_IDEMPOTENCY_KEY: idempotency_key,
    SLUICE_ROLLOUT: rollout.id,
    SLUICE_PHASE: rollout.phase,
    SLUICE_SHARE: String(rollout.share),
    SLUICE_EXPECT: rollout.expect,
    SLUICE_BY: rollout.by,
    SLUICE_REASON: rollout.reason,
    ...of("CANDIDATE", candidate),
    ...of("STABLE", stable),
  };
  // no variable may hold a zero byte, and a reason comes from a request
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value.replaceAll("\0", "")]));
}
