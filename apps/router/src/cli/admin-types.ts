/** What the admin API answers, as far as the command reads it. */

export interface TargetState {
  readonly url: string;
  readonly health: string;
  readonly in_flight?: number;
  readonly suspect?: boolean;
  /** What the target said of itself. */
  readonly version?: string | null;
  readonly digest?: string | null;
}

export interface ColorState {
  readonly name: string;
  readonly weight: number;
  /** 0 to 1. */
  readonly share: number;
  readonly in_flight?: number;
  /** WebSockets and event streams that are open. */
  readonly tunnels?: number;
  readonly targets: readonly TargetState[];
  /** Replaced targets that still serve. */
  readonly retiring?: readonly TargetState[];
  /** Of about the last ten seconds: requests a second; errors, 0 to 1; seconds. Null without traffic. */
  readonly rate?: number | null;
  readonly error_ratio?: number | null;
  readonly p50?: number | null;
  readonly p99?: number | null;
  /** First attempts since the router started, and how many of them went wrong. */
  readonly evidence?: { readonly requests: number; readonly bad: number };
}

/** What becomes of new requests; null: they go to a color. Seconds. */
export type GateState =
  | {
      readonly kind: "pause";
      readonly max: number;
      readonly timeout: number;
      readonly until: string;
      readonly reason?: string | null;
      readonly held?: number;
    }
  | { readonly kind: "maintenance"; readonly message: string; readonly retry_after: number };

export interface GateAnswer {
  readonly revision: number;
  readonly gate: GateState | null;
  /** False: it was so before; there is no new revision. */
  readonly changed?: boolean;
  readonly saved?: boolean;
  readonly drained?: boolean;
  readonly in_flight?: Readonly<Record<string, number>>;
  readonly tunnels?: Readonly<Record<string, number>>;
}

export interface State {
  readonly epoch: number;
  readonly revision: number;
  readonly standby?: string | null;
  readonly gate?: GateState | null;
  readonly colors: readonly ColorState[];
  readonly rollout?: {
    readonly id: string;
    readonly candidate: string;
    readonly phase: string;
    readonly paused: string | null;
    readonly share: number;
    readonly step: number;
    readonly steps: number;
  } | null;
}

export type Weights = Readonly<Record<string, number>>;

export interface ChangeAnswer {
  readonly revision: number;
  readonly epoch: number;
  readonly weights: Weights;
  readonly previous: Weights;
  /** False when the change is in force but could not be saved yet. */
  readonly saved?: boolean;
  /** False when a worker does not serve by it yet. */
  readonly acknowledged?: boolean;
  readonly drained?: boolean;
  readonly in_flight?: Readonly<Record<string, number>>;
  /** WebSockets and event streams, where they were waited for. */
  readonly tunnels?: Readonly<Record<string, number>>;
}

export interface HistoryEntry {
  readonly revision: number;
  readonly at: string;
  readonly kind: string;
  readonly who?: string;
  readonly why?: string;
  readonly gate?: string;
  readonly from?: Readonly<Record<string, unknown>>;
  readonly to?: Readonly<Record<string, unknown>>;
}
