import type { Hono } from "hono";
import { RouterMetrics } from "../metrics/registry.ts";
import type { AdminEnv } from "./admin/env.ts";
import { noUpgrade } from "./admin/upgrade.ts";
import { createAdminApp, createMetricsApp } from "./admin-api.ts";
import { resolveHost } from "./allowed-targets.ts";
import type { Parts, PartsOptions } from "./parts.ts";

export interface Apps {
  readonly admin: Hono<AdminEnv>;
  /** Undefined where metrics are on the admin port. */
  readonly metrics: Hono<AdminEnv> | undefined;
}

export interface AppsOptions extends PartsOptions {
  /** Why no traffic should be sent here; undefined when it may. */
  readonly unready: () => string | undefined;
  /** Aborted when this router is about to stop. */
  readonly leaving: AbortSignal;
}

/** What is served to administrators and to Prometheus. */
export function createApps(parts: Parts, options: AppsOptions): Apps {
  const { store, book, watch, activity, events, feedback, shadows, rollouts } = parts;
  const { version, clock, log, config, unready, leaving } = options;
  const { resolve = resolveHost, upgrade = noUpgrade } = options;
  const deps = {
    ...{ store, book, watch, activity, events, feedback, shadows, rollouts },
    ...{ clock, log, config, unready, leaving, resolve, version, upgrade },
    started: clock.now(),
    metrics: createMetrics(parts, options),
  };
  const own = config().metrics.listen !== "admin";
  return { admin: createAdminApp(deps), metrics: own ? createMetricsApp(deps) : undefined };
}

function createMetrics(parts: Parts, { version, tls }: AppsOptions): RouterMetrics {
  const { store, book, feedback, shadows, rollouts, weightChanges } = parts;
  return new RouterMetrics({
    version,
    tls,
    refresh: () => book.refresh(),
    totals: () => book.totals(),
    workers: () => book.workers(),
    snapshot: () => store.view.snapshot,
    weightChanges: () => weightChanges.counts,
    feedback: () => feedback,
    rollout: () => rollouts.reading,
    shadow: () => shadows,
  });
}
