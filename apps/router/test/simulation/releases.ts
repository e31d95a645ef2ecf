import { seeded } from "./random.ts";

/** Requests of one simulated release, in four equal quarters at the weights of its steps. */
export const REQUESTS = 6000;
export const STEPS = [0.05, 0.25, 0.5, 0.5] as const;

export interface Release {
  readonly steps: readonly number[];
  /** The rate of bad requests at the stable color, by request. */
  readonly base: (request: number) => number;
  /** How many times as often the candidate's are bad. */
  readonly risk: number;
}

/** One request of a release: what every rule is shown. True ends the release. */
export type See = (request: number, rho: number, candidate: boolean, bad: boolean) => boolean;

export function play({ steps, base, risk }: Release, random: () => number, see: See): void {
  for (let request = 0; request < REQUESTS; request++) {
    const rho = weightAt(steps, request);
    const u = random();
    const candidate = u < rho;
    // what is left of the draw once it has decided the color is uniform again
    const rest = candidate ? u / rho : (u - rho) / (1 - rho);
    const rate = base(request);
    if (see(request, rho, candidate, rest < (candidate ? rate * risk : rate))) return;
  }
}

export function weightAt(steps: readonly number[], request: number): number {
  return steps[Math.floor((request * steps.length) / REQUESTS)]!;
}

export const constant = (rate: number) => () => rate;

/** Requests after which a drifting rate changes. */
const STRETCH = 20;

/** From .1 % to 3.6 % and back, once or several times in a release, beginning anywhere. */
export function drifting(random: () => number): (request: number) => number {
  const [phase, cycles] = [random() * 2 * Math.PI, 0.5 + 2.5 * random()];
  const rates = Float64Array.from(
    { length: REQUESTS / STRETCH },
    (_, i) => 0.006 * 6 ** Math.sin(phase + (2 * Math.PI * cycles * i * STRETCH) / REQUESTS),
  );
  return (request) => rates[Math.floor(request / STRETCH)]!;
}

/** A generator of its own for each release, so that a result does not depend on what was simulated before. */
export function randomOf(study: number, release: number): () => number {
  return seeded(study * 1_000_003 + release);
}
