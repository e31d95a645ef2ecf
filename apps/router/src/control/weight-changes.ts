import { WEIGHT_KINDS } from "../core/transitions.ts";

/** Changes of weight since the first of the routers that took each other's place, by kind; for metrics. */
export class WeightChanges {
  readonly counts: Record<string, number> = Object.fromEntries(WEIGHT_KINDS.map((kind) => [kind, 0]));

  /** @param handed what the router before this one has counted */
  constructor(handed: Readonly<Record<string, number>> = {}) {
    Object.assign(this.counts, handed);
  }

  note(kind: string): void {
    if (Object.hasOwn(this.counts, kind)) this.counts[kind]! += 1;
  }
}
