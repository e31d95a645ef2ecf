/**
 * What keeps new requests from a color while it is closed. It is part of the routing state, saved with it, and travels
 * with every snapshot. Requests in flight are not touched.
 */
export type Gate = Pause | Maintenance;

/** New requests wait, and are assigned when the pause ends. */
export interface Pause {
  readonly kind: "pause";
  /** Requests that each data-plane process holds; one more is answered 503. */
  readonly max: number;
  /** Milliseconds that one request waits before it is answered 503. */
  readonly timeout: number;
  /** Milliseconds since 1970 at which the pause ends by itself. */
  readonly until: number;
  readonly reason?: string | undefined;
}

/** New requests are answered 503, but for those that an override sends to a color. */
export interface Maintenance {
  readonly kind: "maintenance";
  /** What clients are told. */
  readonly message: string;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter: number;
}

/** How a request's stay at a closed gate ended; the values of the metric's label. */
export const GATE_ENDINGS = [
  "resumed",
  "full",
  "timeout",
  "aborted",
  "stopping",
  "maintenance",
  "overridden",
] as const;
export type GateEnding = (typeof GATE_ENDINGS)[number];
