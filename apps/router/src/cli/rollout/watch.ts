import { setTimeout as pause } from "node:timers/promises";
import type { AdminClient } from "../admin-client.ts";
import { CliError } from "../errors.ts";
import { complain, print } from "../output.ts";
import { showLine, showRollout } from "./show.ts";
import type { Rollout } from "./types.ts";

/** Milliseconds between two looks. */
const LOOK = 1000;
/** So many looks in a row may find no router: one that restarts is back by then. */
const MISSES = 30;

export interface WatchOptions {
  readonly id: string;
  /** One JSON object a look, for programs. */
  readonly json: boolean;
  /** @default 1000 */
  readonly every?: number;
}

/**
 * Shows a rollout until it is over: on a terminal the whole of it, redrawn; elsewhere each line of its log as it comes.
 * @throws CliError it was rolled back or aborted
 */
export async function watchRollout(
  client: AdminClient,
  { id, json, every = LOOK }: WatchOptions,
): Promise<void> {
  let shown = 0;
  let misses = 0;
  for (;;) {
    const rollout = await client.call<Rollout>(`/admin/rollouts/${id}`).catch((error: unknown) => {
      misses++;
      if (shown === 0 || misses > MISSES) throw error;
    });
    if (rollout) {
      misses = 0;
      shown = draw(rollout, shown, json);
      if (rollout.over) return conclude(rollout);
    }
    await pause(every);
  }
}

/** @returns how many lines of the log have been shown by now */
function draw(rollout: Rollout, shown: number, json: boolean): number {
  const { log } = rollout;
  if (json) print(JSON.stringify(rollout));
  else if (process.stdout.isTTY) redraw(rollout);
  else {
    if (shown === 0) for (const warning of rollout.warnings) complain(`warning: ${warning}`);
    for (const line of log.slice(shown)) print(showLine(line));
  }
  return log.length;
}

function redraw(rollout: Rollout): void {
  process.stdout.write("\x1b[H\x1b[2J");
  print(showRollout(rollout));
}

/** The exit code says how it ended. @throws CliError unless it was promoted */
export function conclude({ id, phase, log }: Rollout): void {
  if (phase === "promoted") return;
  const reason = log.findLast(({ event }) => event === "rollback" || event === "abort")?.reason ?? "";
  throw new CliError(`the rollout ${id} was ${phase.replaceAll("_", " ")}: ${reason}.`);
}
