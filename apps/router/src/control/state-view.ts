import type { ColorReport } from "../core/report.ts";
import { EMPTY_COLOR } from "../core/report-sums.ts";
import type { Health, TargetView } from "../core/snapshot.ts";
import type { Activity, RecentActivity } from "./activity.ts";
import { type GateView, viewGate } from "./gate-view.ts";
import type { ReportBook } from "./report-book.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import type { RolloutSummary } from "./rollout/summary.ts";
import type { Store } from "./store.ts";
import type { TargetWatch } from "./target-watch.ts";

export interface CheckState {
  /** ISO 8601. */
  readonly at: string;
  readonly ok: boolean;
  readonly detail: string;
  /** Seconds. */
  readonly duration: number;
}

export interface TargetState {
  readonly url: string;
  readonly health: Health;
  readonly in_flight: number;
  readonly suspect: boolean;
  /** What the target said of itself at its last check. */
  readonly version: string | null;
  readonly digest: string | null;
  readonly last_check: CheckState | null;
}

export interface ColorState extends Activity {
  readonly name: string;
  /** As it was given. */
  readonly weight: number;
  /** Of new requests, 0 to 1. */
  readonly share: number;
  readonly in_flight: number;
  /** WebSockets and event streams that are open; they are not in flight. */
  readonly tunnels: number;
  readonly targets: readonly TargetState[];
  /** Replaced targets that serve until one of their successors is up. */
  readonly retiring: readonly TargetState[];
  readonly evidence: { readonly requests: number; readonly bad: number };
}

/** The answer of `GET /admin/state`. */
export interface RouterState {
  readonly revision: number;
  readonly epoch: number;
  /** The router's. */
  readonly version: string;
  /** Of the process that answers. */
  readonly pid: number;
  readonly started: string;
  /** Seconds. */
  readonly uptime: number;
  readonly split: "random" | "exact";
  readonly weights: Readonly<Record<string, number>>;
  readonly previous: Readonly<Record<string, number>> | null;
  readonly standby: string | null;
  readonly connections: number;
  /** What holds new requests up, or turns them away; null: nothing. */
  readonly gate: GateView;
  readonly colors: readonly ColorState[];
  /** The one that runs; null when none does. */
  readonly rollout: RolloutSummary | null;
}

export interface StateViewParts {
  readonly store: Store;
  readonly book: ReportBook;
  readonly watch: TargetWatch;
  readonly activity: RecentActivity;
  readonly rollouts: Rollouts;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly started: number;
}

/** What there is to know at this moment, from the newest reports. */
export function stateView(parts: StateViewParts, now: number): RouterState {
  const { store, book, version, started } = parts;
  const { routing, snapshot } = store.view;
  const totals = book.totals();
  return {
    revision: snapshot.revision,
    epoch: snapshot.epoch,
    version,
    pid: process.pid,
    started: new Date(started).toISOString(),
    uptime: (now - started) / 1000,
    split: snapshot.split,
    weights: routing.weights,
    previous: routing.previous ?? null,
    standby: snapshot.standby ?? null,
    connections: book.connections(),
    gate: viewGate(routing.gate, book),
    colors: snapshot.colors.map(({ name, share, targets }) => {
      const report = totals[name] ?? EMPTY_COLOR;
      const weight = routing.weights[name]!;
      return { name, weight, share, ...colorState(parts, name, report, targets) };
    }),
    rollout: parts.rollouts.summary ?? null,
  };
}

function colorState(
  parts: StateViewParts,
  name: string,
  report: ColorReport,
  targets: readonly TargetView[],
) {
  const retiring = parts.store.view.retiring(name);
  const view = (target: TargetView) => targetState(parts.watch, report, target);
  return {
    in_flight: report.inFlight,
    tunnels: report.tunnels ?? 0,
    targets: targets.filter(({ url }) => !retiring.includes(url)).map(view),
    retiring: targets.filter(({ url }) => retiring.includes(url)).map(view),
    ...parts.activity.of(name),
    evidence: report.evidence,
  };
}

function targetState(watch: TargetWatch, report: ColorReport, { url, health }: TargetView): TargetState {
  const last = watch.lastCheck(url);
  const seen = report.targets[url];
  return {
    url,
    health,
    in_flight: seen?.inFlight ?? 0,
    suspect: seen?.suspect ?? false,
    version: last?.version ?? null,
    digest: last?.digest ?? null,
    last_check: last
      ? {
          at: new Date(last.at).toISOString(),
          ok: last.ok,
          detail: last.detail,
          duration: last.duration / 1000,
        }
      : null,
  };
}
