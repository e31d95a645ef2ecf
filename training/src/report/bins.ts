import type { Trained } from "../train.ts";

/** Test trips that have something in common. */
export interface Bin {
  readonly name: string;
  count: number;
  /** Sums of the errors, predicted minus actual, and of their squares, US dollars. */
  errors: number;
  squares: number;
}

/** RMSE of a bin, US dollars; 0 without trips. */
export function root(bin: Bin): number {
  return bin.count === 0 ? 0 : Math.sqrt(bin.squares / bin.count);
}

const edges = [0.05, 1, 2, 3, 5, 8, 12, 20];

export function byDistance(trained: Trained): Bin[] {
  const names = edges.map((edge, i) =>
    i === 0 ? "0" : `${edges[i - 1]! < 1 ? "<" : `${edges[i - 1]}–`}${edge}`,
  );
  return fill(trained, [...names, `>${edges.at(-1)}`], (row) => {
    const km = trained.file.trips.inputs(row).distanceKm;
    const at = edges.findIndex((edge) => km < edge);
    return at < 0 ? edges.length : at;
  });
}

export function byHour(trained: Trained): Bin[] {
  const names = Array.from({ length: 24 }, (_, hour) => `${hour} h`);
  return fill(trained, names, (row) => Math.floor((trained.file.trips.seconds(row) % 86_400) / 3600));
}

function fill({ test }: Trained, names: readonly string[], binOf: (row: number) => number): Bin[] {
  const bins = names.map((name) => ({ name, count: 0, errors: 0, squares: 0 }));
  test.rows.forEach((row, i) => {
    const error = test.predictions[i]! - test.fares[i]!;
    const bin = bins[binOf(row)]!;
    bin.count++;
    bin.errors += error;
    bin.squares += error * error;
  });
  return bins;
}
