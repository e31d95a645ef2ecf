import type { Clock } from "../../core/clock.ts";
import { hookIsDone } from "../../core/rollout/change.ts";
import type { RolloutCommand } from "../../core/rollout/command.ts";
import type { Moment } from "../../core/rollout/plan.ts";
import type { Facts } from "../../core/rollout/state.ts";
import type { Store } from "../store.ts";
import type { GateResult, RolloutEntry } from "./entry.ts";
import { GateRun } from "./gate-run.ts";
import { HookRun } from "./hook-run.ts";
import type { Gate, Hooks, RolloutContext } from "./ports.ts";

export interface SideRunsOptions {
  readonly gates: readonly Gate[];
  readonly hooks: Hooks;
  readonly store: Pick<Store, "view">;
  readonly clock: Clock;
  /** Told how each hook ended. */
  readonly onHookEnd: (command: RolloutCommand) => void;
}

/** What runs beside a rollout while it waits: its checks before the first step, and the hook of a moment. */
export class SideRuns {
  readonly #options: SideRunsOptions;
  readonly #hooks: HookRun;
  #checks: GateRun | undefined;

  constructor(options: SideRunsOptions) {
    this.#options = options;
    this.#hooks = new HookRun(options.hooks, options.onHookEnd);
  }

  get facts(): Pick<Facts, "gates" | "hookRunning"> {
    return { gates: this.#checks?.facts ?? "waiting", hookRunning: this.#hooks.isRunning };
  }

  /** Begins with the checks when it is their turn, after the hook that prepares for them. Returns how they stand. */
  check(entry: RolloutEntry): readonly GateResult[] {
    const { state, checks, results } = entry;
    if (state.phase !== "preparing" || !hookIsDone(state, "before_rollout")) return results;
    const { gates, clock } = this.#options;
    this.#checks ??= new GateRun(gates, checks, this.#contextOf(entry), clock);
    return this.#checks.results;
  }

  startHook(moment: Moment, name: string, entry: RolloutEntry): void {
    const { phase, share } = entry.state;
    this.#hooks.start(moment, name, { ...this.#contextOf(entry), phase, share });
  }

  #contextOf({ state, expect }: RolloutEntry): RolloutContext {
    const { id, candidate, stable, log } = state;
    const { by = "", reason = "" } = log[0] ?? {};
    const targets = (color: string) => this.#options.store.view.routing.targets[color] ?? [];
    return { id, candidate, stable, expect, targets, by, reason };
  }

  /** Ends what the rollout does not wait for any more, as after an abort. */
  sync({ state }: RolloutEntry): void {
    this.#hooks.sync(state);
    if (state.phase !== "preparing") this.#stopChecks();
  }

  stop(): void {
    this.#hooks.stop();
    this.#stopChecks();
  }

  #stopChecks(): void {
    this.#checks?.stop();
    this.#checks = undefined;
  }
}
