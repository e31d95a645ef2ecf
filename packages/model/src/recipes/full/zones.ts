import type { Feature } from "../recipe.ts";
import { clip } from "./airports.ts";
import type { Context, Group } from "./context.ts";

const features: Feature[] = [
  { name: "from_manhattan", meaning: "1 if the trip starts in Manhattan", prior: 30 },
  { name: "to_manhattan", meaning: "1 if the trip ends in Manhattan", prior: 30 },
  { name: "within_manhattan", meaning: "1 if the trip stays in Manhattan", prior: 30 },
  { name: "river_km", meaning: "straight metered kilometres of trips into or out of Manhattan", prior: 30 },
  {
    name: "pickup_across",
    meaning: "where the trip starts, kilometres across the avenues to the east",
    prior: 10,
  },
  {
    name: "pickup_along",
    meaning: "where the trip starts, kilometres along the avenues to the north",
    prior: 10,
  },
  {
    name: "dropoff_across",
    meaning: "where the trip ends, kilometres across the avenues to the east",
    prior: 10,
  },
  {
    name: "dropoff_along",
    meaning: "where the trip ends, kilometres along the avenues to the north",
    prior: 10,
  },
  {
    name: "new_jersey_still",
    meaning: "1 if the trip starts in New Jersey and goes nowhere: a fare agreed on",
    prior: 5,
  },
  {
    name: "to_new_jersey_new_tariff",
    meaning: "1 if the trip ends in New Jersey, from 2012-09-04 on",
    prior: 5,
  },
  { name: "from_new_jersey_km", meaning: "straight distance from New Jersey, in 10 km", prior: 5 },
  { name: "to_new_jersey_km", meaning: "straight distance to New Jersey, in 10 km", prior: 5 },
  { name: "to_staten_island", meaning: "1 if the trip ends on Staten Island, over a toll", prior: 5 },
  { name: "to_staten_island_km", meaning: "straight distance to Staten Island, in 10 km", prior: 5 },
  {
    name: "to_nassau_km",
    meaning: "straight distance to Nassau, where the meter is doubled, in 10 km",
    prior: 5,
  },
  {
    name: "from_toll_plaza",
    meaning: "nearness of the start to the toll plaza of the Kennedy bridge",
    prior: 5,
  },
  { name: "to_toll_plaza", meaning: "nearness of the end to the toll plaza of the Kennedy bridge", prior: 5 },
];

/** Trips shorter than this, kilometres, go nowhere. */
const STILL = 0.05;

/** Rivers, tolls and the places outside the city. */
export const zones: Group = {
  features,
  compute(trip: Context, out: Float64Array, at: number): void {
    const { pickup, dropoff, straightKm } = trip;
    const within = pickup.manhattan * dropoff.manhattan;
    let i = at;
    out[i++] = pickup.manhattan;
    out[i++] = dropoff.manhattan;
    out[i++] = within;
    out[i++] = (pickup.manhattan + dropoff.manhattan - 2 * within) * straightKm * trip.metered;
    out[i++] = clip(pickup.across);
    out[i++] = clip(pickup.along);
    out[i++] = clip(dropoff.across);
    out[i++] = clip(dropoff.along);
    out[i++] = straightKm < STILL ? pickup.newJersey : 0;
    out[i++] = dropoff.newJersey * trip.newTariff;
    out[i++] = (pickup.newJersey * straightKm) / 10;
    out[i++] = (dropoff.newJersey * straightKm) / 10;
    out[i++] = dropoff.statenIsland;
    out[i++] = (dropoff.statenIsland * straightKm) / 10;
    out[i++] = (dropoff.nassau * straightKm) / 10;
    out[i++] = pickup.tollPlaza;
    out[i++] = dropoff.tollPlaza;
  },
};
