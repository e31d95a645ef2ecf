import type { RolloutCommand } from "../../core/rollout/command.ts";
import type { Moment } from "../../core/rollout/plan.ts";
import type { RolloutState } from "../../core/rollout/state.ts";
import type { Hooks, RolloutContext } from "./ports.ts";

/** Runs a rollout's hooks, one at a time. */
export class HookRun {
  readonly #hooks: Hooks;
  readonly #done: (command: RolloutCommand) => void;
  #running: { readonly moment: Moment; readonly abort: AbortController } | undefined;

  /** @param done told how each hook ended */
  constructor(hooks: Hooks, done: (command: RolloutCommand) => void) {
    this.#hooks = hooks;
    this.#done = done;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Ends a hook that the rollout does not wait for any more, as after an abort. */
  sync({ hook }: RolloutState): void {
    if (this.#running !== undefined && hook?.moment !== this.#running.moment) this.stop();
  }

  start(moment: Moment, name: string, context: RolloutContext & { phase: string; share: number }): void {
    if (this.#running !== undefined) return;
    const abort = new AbortController();
    const running = { moment, abort };
    this.#running = running;
    const end = (ok: boolean, detail: string) => {
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#done({ kind: "hook_done", moment, ok, detail });
    };
    this.#hooks.run(name, moment, context, abort.signal).then(
      ({ ok, detail }) => end(ok, detail),
      (error: unknown) => end(false, error instanceof Error ? error.message : String(error)),
    );
  }

  stop(): void {
    this.#running?.abort.abort();
    this.#running = undefined;
  }
}
