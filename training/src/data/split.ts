/** Row numbers for fitting and for the test. */
export interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/** Deals rows into four fifths to train on and one to test on, at random; the same seed deals the same way. */
export function splitRows(rows: number, seed: number): Split {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  const random = mulberry32(seed);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  const tested = Math.floor(rows / 5);
  return { train: order.subarray(tested).sort(), test: order.subarray(0, tested).sort() };
}

/** Tommy Ettinger's Mulberry32: uniform numbers in [0, 1) from a seed of 32 bits. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
