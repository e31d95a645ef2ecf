import type { Clock } from "../../core/clock.ts";
import { freezeReference, type Reference } from "../../core/evidence/prediction-drift.ts";
import {
  countOfSketch,
  EMPTY_SKETCH,
  type Sketch,
  sampleOf,
  sketchGrowth,
} from "../../core/predictions/sketch.ts";
import type { ReportBook } from "../report-book.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";
import { type ColorIdentity, identityOf, sameIdentity } from "./identity.ts";

/** Predictions that must be known before quartiles are frozen. */
const ENOUGH = 100;
/** How often is looked at what the colors run, in milliseconds. */
const LOOK = 1000;

interface Known {
  readonly identity: ColorIdentity;
  /** What had been counted when this version came. */
  readonly before: Sketch;
}

/** The predictions of what each color runs now. */
export class PredictionsBook {
  readonly #parts: {
    readonly store: Store;
    readonly watch: TargetWatch;
    readonly book: ReportBook;
    readonly clock: Clock;
  };
  readonly #known = new Map<string, Known>();
  #looked = Number.NEGATIVE_INFINITY;

  constructor(parts: { store: Store; watch: TargetWatch; book: ReportBook; clock: Clock }) {
    this.#parts = parts;
  }

  /** Called with every report: another version's predictions are not this one's. */
  look(): void {
    const { store, watch, clock } = this.#parts;
    const now = clock.now();
    if (now - this.#looked < LOOK) return;
    this.#looked = now;
    for (const { name } of store.view.snapshot.colors) {
      const known = this.#known.get(name);
      const found = identityOf(store, watch, name);
      const identity = known && sameIdentity(known.identity, found);
      const before = known === undefined ? EMPTY_SKETCH : ((identity && known.before) ?? this.#counted(name));
      this.#known.set(name, { identity: identity ?? found, before });
    }
  }

  /** Frozen now; undefined while too few are known. */
  referenceOf(color: string): Reference | undefined {
    const { before = EMPTY_SKETCH } = this.#known.get(color) ?? {};
    const sketch = sketchGrowth(before, this.#counted(color));
    return countOfSketch(sketch) >= ENOUGH ? freezeReference(sampleOf(sketch)) : undefined;
  }

  #counted(color: string): Sketch {
    return this.#parts.book.totals()[color]?.answers?.predictions ?? EMPTY_SKETCH;
  }
}
