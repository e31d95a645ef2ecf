import { type Judgement, rateGuard } from "../verdict/guards.ts";
import { command, type RolloutCommand } from "./command.ts";
import { makePlan, type RolloutPlan } from "./plan.ts";
import { startRollout } from "./start.ts";
import type { Advance, Effect, Facts, RolloutState } from "./state.ts";
import { tick } from "./tick.ts";

export const judgement: Judgement = {
  rollback: [rateGuard("errors")],
  promotion: [{ kind: "below", name: "few errors", tally: "errors", max: 0.01 }],
  alpha: 0.01,
  alphaPromotion: 0.05,
};

export const HOLD = { decision: "hold", guard: undefined, reason: "not yet" } as const;
export const PROMOTE = { decision: "promote", guard: undefined, reason: "shown" } as const;
export const ROLL_BACK = { decision: "rollback", guard: "errors", reason: "errors: roll back" } as const;
export const PAUSE = { decision: "pause", guard: "objective", reason: "both: pause" } as const;

const GOOD: Facts = {
  share: 0,
  drained: true,
  closed: false,
  candidate: { available: true, digest: "new" },
  stable: { available: true, digest: "old" },
  requests: 0,
  verdict: HOLD,
  gates: "passed",
  hookRunning: false,
};

/** A rollout with a world around it, in which decided weights come in force before the next look. */
export class Scene {
  state: RolloutState;
  facts: Facts = GOOD;
  at = 1_000_000;
  effects: readonly Effect[] = [];
  /** False: weights stay as they are, whatever is decided. */
  obeys = true;

  /** What has happened, by name. */
  get events(): readonly string[] {
    return this.state.log.map(({ event }) => event);
  }

  constructor(plan: Partial<RolloutPlan> = {}) {
    this.state = startRollout({
      id: "r1",
      plan: makePlan({ judgement, stepMin: 60_000, stepRequests: 100, bake: 120_000, ...plan }),
      candidate: { color: "green", version: "1.0.1", digest: "new" },
      stable: { color: "blue", version: "1.0.0", digest: "old" },
      at: this.at,
      by: "ann",
      reason: "better",
    });
  }

  /** Time passes, requests come, and the rollout is looked at. */
  tick(seconds = 1, requests = 0, facts: Partial<Facts> = {}): this {
    this.at += seconds * 1000;
    this.facts = { ...this.facts, ...facts, requests: this.facts.requests + requests };
    return this.take(tick(this.state, this.facts, this.at));
  }

  say(given: RolloutCommand): string | undefined {
    const { refused, ...advance } = command(this.state, given, this.at);
    this.take(advance);
    return refused;
  }

  do(kind: "pause" | "resume" | "approve" | "promote" | "abort"): string | undefined {
    return this.say({ kind, by: "ann" });
  }

  hook(ok: boolean): this {
    const { hook } = this.state;
    if (hook) this.say({ kind: "hook_done", moment: hook.moment, ok, detail: ok ? "200" : "500" });
    return this;
  }

  /** Whole steps, until the phase is reached or nothing helps. */
  until(phase: RolloutState["phase"], facts: Partial<Facts> = {}): this {
    for (let i = 0; i < 50 && this.state.phase !== phase; i++) this.tick(30, 100, facts).hook(true);
    if (this.state.phase !== phase) throw new Error(`It is ${this.state.phase}, not ${phase}`);
    return this;
  }

  /** As a router that was killed finds it. */
  restart(): this {
    this.state = JSON.parse(JSON.stringify(this.state));
    return this;
  }

  private take({ state, effects }: Advance): this {
    this.state = state;
    this.effects = effects;
    const weights = effects.find((effect) => effect.kind === "weights");
    if (weights && this.obeys) this.facts = { ...this.facts, share: weights.candidate };
    return this;
  }
}

export const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind);
