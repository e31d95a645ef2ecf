import type { Trip } from "@sluice/model";
import { type InputProblem, readTripsHere, type Trips, totalDropped } from "@sluice/training/trips";
import { CliError } from "../errors.ts";

/** A trip to ask for, and what it really cost. */
export interface RealTrip {
  readonly trip: Trip;
  /** US dollars. */
  readonly fare: number;
}

/** The clean trips of a file, in its order or shuffled. */
export class TripSource {
  readonly length: number;
  /** Rows that cleaning left out. */
  readonly dropped: number;
  readonly #trips: Trips;
  readonly #order: Uint32Array | undefined;

  private constructor(trips: Trips, dropped: number, seed: number | undefined) {
    this.#trips = trips;
    this.length = trips.length;
    this.dropped = dropped;
    this.#order = seed === undefined ? undefined : shuffled(trips.length, seed);
  }

  /** @throws CliError that says what is wrong with the file */
  static async read(path: string, seed: number | undefined): Promise<TripSource> {
    try {
      const { trips, dropped } = await readTripsHere(path);
      return new TripSource(trips, totalDropped(dropped), seed);
    } catch (error) {
      if ((error as InputProblem).name !== "InputProblem") throw error;
      throw new CliError((error as Error).message);
    }
  }

  /** The i-th; after the last the first again. */
  at(i: number): RealTrip {
    const turn = i % this.length;
    const row = this.#order?.[turn] ?? turn;
    const trips = this.#trips;
    const trip: Trip = {
      pickup_latitude: trips.pickupLatitude(row),
      pickup_longitude: trips.pickupLongitude(row),
      dropoff_latitude: trips.dropoffLatitude(row),
      dropoff_longitude: trips.dropoffLongitude(row),
      passenger_count: trips.passengers(row),
      pickup_datetime: new Date(trips.seconds(row) * 1000).toISOString().replace(".000Z", "Z"),
    };
    return { trip, fare: trips.fare(row) };
  }
}

/** 0 to length - 1, in an order that the seed alone decides (Fisher and Yates; mulberry32). */
function shuffled(length: number, seed: number): Uint32Array {
  let state = seed;
  const random = (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
