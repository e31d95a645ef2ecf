import { type AdminClient, RefusedError } from "../admin-client.ts";
import type { ChangeAnswer, ColorState, HistoryEntry, State, Weights } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { formatWeights } from "../format.ts";
import type { Rollout } from "../rollout/types.ts";

/** A change that is meant for the router as this deploy knows it. */
interface Change {
  readonly reason: string;
  readonly signal: AbortSignal;
}

/** Milliseconds that an answer may wait for workers to serve by a change. */
const ACKNOWLEDGE = 15_000;
/** What the router's history takes. */
const LONGEST_REASON = 500;

export interface TargetsAnswer {
  readonly revision: number;
  readonly drained?: boolean;
}

/**
 * The router as one deploy sees it. Every change but a rollback is made for the revision that this deploy saw last: when
 * somebody else has changed something meanwhile, the router refuses it.
 */
export class RouterControl {
  readonly #client: AdminClient;
  #revision = 0;

  constructor(client: AdminClient) {
    this.#client = client;
  }

  get url(): string {
    return this.#client.url;
  }

  /** The router's state, whose revision later changes are made for. */
  async look(signal?: AbortSignal): Promise<State> {
    const state = await this.state(signal);
    this.#revision = state.revision;
    return state;
  }

  /** The router's state, only to look at. */
  async state(signal?: AbortSignal): Promise<State> {
    const state = await this.#client.call<State>("/admin/state", signal ? { signal } : {});
    if (!Array.isArray(state.colors)) throw this.#client.foreign("its answer has no colors");
    return state;
  }

  /** True when the last move of weight was a rollback: another one stays where that one led. */
  async isRolledBack(): Promise<boolean> {
    const { history } = await this.#client.call<{ history: readonly HistoryEntry[] }>("/admin/history");
    return history.find(({ kind, from, to }) => kind !== "targets" && !same(from, to))?.kind === "rollback";
  }

  /** Who changed something after the revision that this deploy knows; undefined when nobody did. */
  async overtaken(state: State): Promise<string | undefined> {
    if (state.revision === this.#revision) return undefined;
    return `the router's weights or targets were changed by somebody else meanwhile (now ${formatWeights(weightsOf(state))}, revision ${state.revision}; \`sluice history\` says by whom)`;
  }

  async flip(to: string, change: Change): Promise<ChangeAnswer> {
    return this.#change<ChangeAnswer>("POST", "/admin/flip", { to }, change);
  }

  async weights(weights: Weights, change: Change): Promise<ChangeAnswer> {
    return this.#change<ChangeAnswer>("POST", "/admin/weights", { weights }, change);
  }

  async startRollout(plan: Readonly<Record<string, unknown>>, { reason, signal }: Change): Promise<Rollout> {
    const body = { ...plan, reason: reason.slice(0, LONGEST_REASON) };
    return this.#client.call<Rollout>("/admin/rollouts", { method: "POST", body, signal });
  }

  /** Undefined while no router answers: one that restarts goes on with its rollout. */
  async rollout(id: string, signal: AbortSignal): Promise<Rollout | undefined> {
    return this.#client.call<Rollout>(`/admin/rollouts/${id}`, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof RefusedError) throw error;
      return undefined;
    });
  }

  async targets(color: string, targets: readonly string[], change: Change): Promise<TargetsAnswer> {
    return this.#change("PUT", `/admin/colors/${encodeURIComponent(color)}/targets`, { targets }, change);
  }

  /** Sets the same weights once more, and waits until the emptied colors have nothing in flight, and no tunnel. */
  async drained(weights: Weights, timeout: number, change: Change): Promise<ChangeAnswer> {
    return this.#change("POST", "/admin/weights", { weights }, change, timeout);
  }

  /** All weight back to the color that last had it. No revision guards it: a rescue must not be refused. */
  async rollback(reason: string): Promise<ChangeAnswer> {
    const answer = await this.#client.call<ChangeAnswer>("/admin/rollback", {
      method: "POST",
      body: { reason: reason.slice(0, LONGEST_REASON) },
      wait: ACKNOWLEDGE,
    });
    this.#revision = answer.revision;
    return answer;
  }

  async #change<T extends { revision: number }>(
    method: "POST" | "PUT",
    path: string,
    body: object,
    { reason, signal }: Change,
    drain?: number,
  ): Promise<T> {
    try {
      const answer = await this.#client.call<T>(path, {
        method,
        body: { ...body, reason: reason.slice(0, LONGEST_REASON) },
        ifMatch: this.#revision,
        signal,
        wait: ACKNOWLEDGE + (drain ?? 0),
        ...(drain === undefined
          ? {}
          : { query: { wait: "drained", tunnels: "true", timeout: `${Math.round(drain)}ms` } }),
      });
      this.#revision = answer.revision;
      return answer;
    } catch (error) {
      if (!(error instanceof RefusedError) || error.status !== 412) throw error;
      const why = await this.overtaken(await this.state());
      throw new CliError(`${why ?? error.message.replace(/\.$/, "")}.`);
    }
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const weightsOf = ({ colors }: State): Weights =>
  Object.fromEntries(colors.map(({ name, weight }) => [name, weight]));

export function colorOf({ colors }: State, name: string): ColorState {
  const found = colors.find((color) => color.name === name);
  if (found) return found;
  const names = colors.map((color) => color.name).join(", ");
  throw new CliError(`the router has no color ${JSON.stringify(name)}; it has ${names}.`);
}

/** The one color with weight; undefined when several have some. */
export function soleColor({ colors }: State): ColorState | undefined {
  const serving = colors.filter(({ weight }) => weight > 0);
  return serving.length === 1 ? serving[0] : undefined;
}
