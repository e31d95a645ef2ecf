import type { Config } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import type { RecentActivity } from "../activity.ts";
import type { Resolve } from "../allowed-targets.ts";
import type { EventHub } from "../events.ts";
import type { Feedback } from "../feedback/feedback.ts";
import type { Log } from "../log.ts";
import type { ReportBook } from "../report-book.ts";
import type { Rollouts } from "../rollout/rollouts.ts";
import type { Shadows } from "../shadow/shadows.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";
import type { Upgrade } from "./upgrade.ts";

/** What the admin API needs of the rest of the control plane. */
export interface AdminDeps {
  /** The configuration in force, which a reload replaces. */
  readonly config: () => Pick<
    Config,
    "admin" | "allowed_targets" | "colors" | "timeouts" | "metrics" | "predictions" | "shadow"
  >;
  readonly store: Store;
  readonly rollouts: Rollouts;
  readonly book: ReportBook;
  readonly watch: TargetWatch;
  readonly activity: RecentActivity;
  readonly events: EventHub;
  readonly feedback: Feedback;
  readonly shadows: Shadows;
  readonly clock: Clock;
  readonly log: Log;
  readonly resolve: Resolve;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** Why no traffic should be sent here; undefined when it may. */
  readonly unready: () => string | undefined;
  readonly upgrade: Upgrade;
  /** Aborted when this router is about to stop: who waits for news is answered with what is known. */
  readonly leaving: AbortSignal;
  /** The Prometheus text. */
  readonly metrics: {
    render(
      format: "prometheus" | "openmetrics",
    ): Promise<{ readonly text: string; readonly contentType: string }>;
  };
}
