/** Milliseconds before the end of a drain at which what cannot end by itself is ended in an orderly way. */
const LAST_CALL = 2000;

/** @param deadline milliseconds that a drain may take @returns after how many the last call comes */
export function lastCallAfter(deadline: number): number {
  return deadline - Math.min(LAST_CALL, deadline / 4);
}
