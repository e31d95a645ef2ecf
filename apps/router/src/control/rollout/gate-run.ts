import type { Clock } from "../../core/clock.ts";
import type { Facts } from "../../core/rollout/state.ts";
import type { GateResult } from "./entry.ts";
import type { Gate, RolloutContext } from "./ports.ts";

/** Between two looks at a gate that waits, in milliseconds. */
const ASK_AGAIN = 1000;

/** Asks the gates of one rollout, all at the same time, until each has ended. */
export class GateRun {
  readonly #results = new Map<string, GateResult>();
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #context: RolloutContext;

  constructor(gates: readonly Gate[], names: readonly string[], context: RolloutContext, clock: Clock) {
    this.#clock = clock;
    this.#context = context;
    for (const name of names) {
      const gate = gates.find((each) => each.name === name);
      this.#results.set(name, { name, ok: undefined, detail: "under way" });
      if (gate !== undefined) void this.#ask(gate);
      else this.#end(name, false, `no check ${name} is configured any more`);
    }
  }

  get results(): readonly GateResult[] {
    return [...this.#results.values()];
  }

  get facts(): Facts["gates"] {
    const failed = this.results.find(({ ok }) => ok === false);
    if (failed !== undefined) return { failed: `${failed.name}: ${failed.detail}` };
    return this.results.every(({ ok }) => ok === true) ? "passed" : "waiting";
  }

  stop(): void {
    this.#abort.abort();
  }

  async #ask(gate: Gate): Promise<void> {
    const { signal } = this.#abort;
    try {
      const ended = await gate.check(this.#context, signal);
      if (signal.aborted) return;
      if ("ok" in ended) return this.#end(gate.name, ended.ok, ended.detail);
      this.#results.set(gate.name, { name: gate.name, ok: undefined, detail: ended.waiting });
      const cancel = this.#clock.after(ASK_AGAIN, () => void this.#ask(gate));
      signal.addEventListener("abort", cancel, { once: true });
    } catch (error) {
      if (!signal.aborted) this.#end(gate.name, false, (error as Error).message);
    }
  }

  #end(name: string, ok: boolean, detail: string): void {
    this.#results.set(name, { name, ok, detail });
  }
}
