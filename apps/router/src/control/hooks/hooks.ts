import type { HookConfig } from "../../config/config.ts";
import type { Moment } from "../../core/rollout/plan.ts";
import type { Log } from "../log.ts";
import type { Ended, Hooks } from "../rollout/ports.ts";
import { callHook } from "./call.ts";
import { runCommand } from "./command.ts";
import { factsOf, type HookContext } from "./facts.ts";

export interface HooksOptions {
  /** Those of the configuration in force. */
  readonly configured: () => Readonly<Record<string, HookConfig>>;
  readonly log: Log;
}

/** The hooks that the configuration file defines, run by name and written down in the log. */
export class ConfiguredHooks implements Hooks {
  readonly #options: HooksOptions;

  constructor(options: HooksOptions) {
    this.#options = options;
  }

  get names(): readonly string[] {
    return Object.keys(this.#options.configured());
  }

  /** Never rejects. */
  async run(name: string, moment: Moment, context: HookContext, signal: AbortSignal): Promise<Ended> {
    const hook = this.#options.configured()[name];
    // the file may have been read again since the rollout began
    if (hook === undefined) return { ok: false, detail: `the configuration has no hook ${name} any more` };
    const about = { hook: name, moment, rollout: context.id };
    this.#options.log.info(about, "A hook begins.");
    const { ok, detail, output } = await this.#run(hook, factsOf(name, moment, context), signal);
    const fields = { ...about, detail, ...(output ? { output } : {}) };
    if (ok) this.#options.log.info(fields, "A hook has passed.");
    else this.#options.log.warn(fields, "A hook has failed.");
    return { ok, detail };
  }

  async #run(hook: HookConfig, facts: ReturnType<typeof factsOf>, signal: AbortSignal) {
    try {
      if ("url" in hook) return { ...(await callHook(hook, facts, signal)), output: "" };
      return await runCommand(hook, facts, signal);
    } catch (error) {
      return { ok: false, detail: `it cannot be run (${(error as Error).message})`, output: "" };
    }
  }
}
