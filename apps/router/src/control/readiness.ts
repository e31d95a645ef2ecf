import type { Clock } from "../core/clock.ts";
import { hasAvailableTarget, type Snapshot } from "../core/snapshot.ts";
import type { Store } from "./store.ts";

/** Why no color could answer, in a sentence; undefined when one could. */
export function whyUnready({ colors, standby, gate }: Snapshot): string | undefined {
  if (gate !== undefined) return undefined; // nothing needs a target while requests wait, as in a swap of all
  const serving = colors.filter(({ name, share }) => share > 0 || name === standby);
  if (serving.some(hasAvailableTarget)) return undefined;
  return "No color with weight, nor the standby, has an available target.";
}

/** Resolves with true once no target waits for its first verdict; with false after `timeout` milliseconds. */
export function firstVerdicts(store: Store, clock: Clock, timeout: number): Promise<boolean> {
  if (isJudged(store.view.snapshot)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const cancel = clock.after(timeout, () => resolve(false));
    store.onSnapshot((snapshot) => {
      if (!isJudged(snapshot)) return;
      cancel();
      resolve(true);
    });
  });
}

function isJudged({ colors }: Snapshot): boolean {
  return colors.every(({ targets }) => targets.every(({ health }) => health !== "starting"));
}
