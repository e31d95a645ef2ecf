import { median } from "../statistics.ts";

/** Samples by the contender's name. */
export type Samples<S> = ReadonlyMap<string, readonly S[]>;

/** Median of one number over a contender's samples; undefined for a contender without samples. */
export function middle<S>(samples: Samples<S>, name: string, of: (sample: S) => number): number | undefined {
  const own = samples.get(name);
  return own === undefined || own.length === 0 ? undefined : median(own.map(of));
}

/** The same as text, `–` without samples. */
export function middleText<S>(
  samples: Samples<S>,
  name: string,
  of: (sample: S) => number,
  digits: number,
): string {
  return middle(samples, name, of)?.toFixed(digits) ?? "–";
}

/** One contender's median as a multiple of another's, `–` where that one was not measured. */
export function times<S>(
  samples: Samples<S>,
  name: string,
  other: string,
  of: (sample: S) => number,
): string {
  const own = middle(samples, name, of);
  const base = middle(samples, other, of);
  return own === undefined || !base ? "–" : (own / base).toFixed(2);
}
