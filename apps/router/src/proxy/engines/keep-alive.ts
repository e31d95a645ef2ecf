/** Milliseconds of silence after which a connection that may be silent is asked whether it still stands (TCP keep-alive). */
export const PROBE_AFTER = 30_000;
