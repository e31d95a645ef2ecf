/** Bytes of answers that are read each second, where each counts at least {@link LEAST_COST}: about 500 answers. */
export const READ_PER_SECOND = 4 * 1024 * 1024;
export const LEAST_COST = 8192;

/** What the reading of an answer costs of {@link READ_PER_SECOND}. @param size bytes that were read, decoded */
export function costOf(size: number): number {
  return Math.max(LEAST_COST, size);
}
