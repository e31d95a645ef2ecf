import { setTimeout as pause } from "node:timers/promises";
import { conclude } from "../rollout/watch.ts";
import type { Switch } from "./switch.ts";

/** Milliseconds between two looks at the rollout. */
const LOOK = 500;

/** The router moves weight step by step and decides from evidence; the deploy waits for it. */
export function byRollout(plan: Readonly<Record<string, unknown>>, look = LOOK): Switch {
  return {
    title: "by a rollout",
    async run({ router, to, reason, signal, note }) {
      let rollout = await router.startRollout({ ...plan, candidate: to }, { reason, signal });
      note(`rollout ${rollout.id}`);
      let shown = 0;
      for (;;) {
        for (const line of rollout.log.slice(shown)) note(`${line.event}: ${line.reason}`);
        shown = rollout.log.length;
        if (rollout.over) break;
        await pause(look, undefined, { signal }).catch(() => signal.throwIfAborted());
        rollout = (await router.rollout(rollout.id, signal)) ?? rollout;
      }
      conclude(rollout);
      await router.look(signal);
    },
  };
}
