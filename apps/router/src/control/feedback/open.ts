import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { type Disk, disk as realDisk } from "../disk.ts";
import type { Log } from "../log.ts";
import type { Rollouts } from "../rollout/rollouts.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";
import type { Judged } from "./evidence.ts";
import { Feedback, type FeedbackOptions } from "./feedback.ts";
import { FeedbackJournal } from "./journal.ts";

export interface OpenFeedback extends Pick<FeedbackOptions, "evidence" | "refresh"> {
  readonly config: Pick<Config, "feedback" | "state">;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk?: Disk | undefined;
  readonly store: Store;
  readonly watch: TargetWatch;
}

/** Feedback as the configuration wants it, with a journal where there is a folder for durable state. */
export function createFeedback(options: OpenFeedback): Feedback {
  const { config, clock, log, store, watch, evidence, refresh } = options;
  const { state: folder, feedback } = config;
  const disk = options.disk ?? realDisk;
  const journal = folder === undefined ? undefined : new FeedbackJournal({ folder, disk, clock, log });
  const digestOf = (color: string) => soleDigest(store, watch, color);
  return new Feedback({ config: feedback, clock, log, journal, digestOf, evidence, refresh });
}

/** The rollout that is judged now, with what the data plane counts for it; undefined where none is. */
export function judgedNow(rollouts: Rollouts, store: Store): Judged | undefined {
  const { state, isRunning } = rollouts;
  if (state === undefined || !isRunning) return undefined;
  const { candidate, stable } = state;
  return { candidate, stable, tallies: store.view.snapshot.rollout?.tallies ?? [] };
}

/** What all targets of a color said at their last checks that they run; empty where they differ or do not say. */
function soleDigest(store: Store, watch: TargetWatch, color: string): string {
  const targets = store.view.snapshot.colors.find(({ name }) => name === color)?.targets ?? [];
  const digests = new Set(targets.map(({ url }) => watch.lastCheck(url)?.digest ?? ""));
  return digests.size === 1 ? [...digests][0]! : "";
}
