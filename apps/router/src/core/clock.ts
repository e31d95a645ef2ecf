/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970; also used for intervals, so tests may start it anywhere. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}
