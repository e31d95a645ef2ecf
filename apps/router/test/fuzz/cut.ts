/** Where the pieces of so many bytes end, in order, when they are cut at the given places, taken modulo the length. */
export function cutAt(length: number, places: readonly number[]): number[] {
  const ends = new Set(places.map((place) => place % length));
  ends.delete(0);
  return [...ends, length].sort((a, b) => a - b);
}

/** Every byte is a piece. */
export function everyByte(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}
