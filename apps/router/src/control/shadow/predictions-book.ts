import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/config.ts";
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
  /** Where its predictions were read. */
  readonly read: Config["predictions"];
  /** What had been counted when this version, or this way to read it, came. */
  readonly before: Sketch;
}

interface Parts {
  readonly store: Store;
  readonly watch: TargetWatch;
  readonly book: ReportBook;
  readonly clock: Clock;
  readonly config: () => Pick<Config, "predictions">;
}

/** The predictions of what each color runs now. */
export class PredictionsBook {
  readonly #parts: Parts;
  readonly #known = new Map<string, Known>();
  #looked = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Called with every report: another version's predictions, or those read elsewhere in its answers, are not this one's. */
  look(): void {
    const now = this.#parts.clock.now();
    if (now - this.#looked < LOOK) return;
    this.#looked = now;
    for (const { name } of this.#parts.store.view.snapshot.colors)
      this.#known.set(name, this.#knownNow(name));
  }

  #knownNow(name: string): Known {
    const { store, watch, config } = this.#parts;
    const found = identityOf(store, watch, name);
    const read = config().predictions;
    const known = this.#known.get(name);
    if (known === undefined) return { identity: found, read, before: EMPTY_SKETCH };
    const identity = sameIdentity(known.identity, found);
    const goesOn = identity !== undefined && isDeepStrictEqual(known.read, read);
    return { identity: identity ?? found, read, before: goesOn ? known.before : this.#counted(name) };
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
