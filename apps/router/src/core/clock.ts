/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Milliseconds since 1970, for people: the machine's clock may be set back at any moment. */
  now(): number;
  /** Milliseconds since some moment, which never go back: for everything that is measured or awaited. */
  ticks(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}
