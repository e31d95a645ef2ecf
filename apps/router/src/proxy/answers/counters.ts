import type { Fault } from "../../core/predictions/read.ts";
import { SketchCounter } from "../../core/predictions/sketch.ts";
import type { AnswerSums, Skip } from "../../core/predictions/sums.ts";

/** Counts what is found in one color's answers. */
export class AnswerCounters {
  #read = 0;
  readonly #faults: Record<string, number> = {};
  readonly #skipped: Record<string, number> = {};
  /** Answers that were not read because too many were; of most requests under load, so that it is counted apart. */
  busy = 0;
  readonly #predictions = new SketchCounter();

  good(center: number): void {
    this.#read++;
    this.#predictions.add(center);
  }

  bad(fault: Fault): void {
    this.#read++;
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
  }

  skip(why: Exclude<Skip, "busy">): void {
    this.#skipped[why] = (this.#skipped[why] ?? 0) + 1;
  }

  sums(): AnswerSums {
    return {
      read: this.#read,
      faults: { ...this.#faults },
      skipped: this.busy === 0 ? { ...this.#skipped } : { ...this.#skipped, busy: this.busy },
      predictions: this.#predictions.sketch(),
    };
  }
}
