import { type Inputs, makeInputs } from "@sluice/model/inputs";
import type { Row } from "./clean.ts";

const columns = 7;

/** Clean trips in one flat array of numbers, because 200,000 objects would be slow and large. */
export class Trips {
  #values = new Float64Array(columns * 4096);
  length = 0;

  /** Trips from the array that `values` gave. */
  static of(values: Float64Array<ArrayBuffer>): Trips {
    const trips = new Trips();
    trips.#values = values;
    trips.length = values.length / columns;
    return trips;
  }

  /** One after the other. */
  static join(parts: readonly Trips[]): Trips {
    if (parts.length === 1) return parts[0]!;
    const values = new Float64Array(columns * parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part.values(), at);
      at += part.length * columns;
    }
    return Trips.of(values);
  }

  /** @param seconds New York wall-clock seconds since 1970-01-01 00:00. */
  add(row: Row, seconds: number): void {
    const at = this.length * columns;
    if (at === this.#values.length) this.#grow();
    this.#values[at] = row.fare;
    this.#values[at + 1] = row.pickupLatitude;
    this.#values[at + 2] = row.pickupLongitude;
    this.#values[at + 3] = row.dropoffLatitude;
    this.#values[at + 4] = row.dropoffLongitude;
    this.#values[at + 5] = row.passengers;
    this.#values[at + 6] = seconds;
    this.length++;
  }

  /** A copy of what there is, to hand to another thread. */
  values(): Float64Array<ArrayBuffer> {
    return this.#values.slice(0, this.length * columns);
  }

  /** US dollars. */
  fare(trip: number): number {
    return this.#values[trip * columns]!;
  }

  pickupLatitude(trip: number): number {
    return this.#values[trip * columns + 1]!;
  }

  pickupLongitude(trip: number): number {
    return this.#values[trip * columns + 2]!;
  }

  dropoffLatitude(trip: number): number {
    return this.#values[trip * columns + 3]!;
  }

  dropoffLongitude(trip: number): number {
    return this.#values[trip * columns + 4]!;
  }

  passengers(trip: number): number {
    return this.#values[trip * columns + 5]!;
  }

  /** New York wall-clock seconds since 1970-01-01 00:00. */
  seconds(trip: number): number {
    return this.#values[trip * columns + 6]!;
  }

  inputs(trip: number): Inputs {
    const at = trip * columns;
    const v = this.#values;
    return makeInputs(v[at + 1]!, v[at + 2]!, v[at + 3]!, v[at + 4]!, v[at + 5]!, v[at + 6]!);
  }

  #grow(): void {
    const larger = new Float64Array(Math.max(columns * 4096, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}
