import type { Feature } from "../recipe.ts";
import type { Context, Group } from "./context.ts";

const features: Feature[] = [
  { name: "from_kennedy", meaning: "1 if the trip starts at Kennedy airport", prior: 30 },
  { name: "to_kennedy", meaning: "1 if the trip ends at Kennedy airport", prior: 30 },
  { name: "to_kennedy_km", meaning: "straight kilometres of metered trips to Kennedy", prior: 30 },
  { name: "flat", meaning: "1 between Kennedy and Manhattan: the flat fare, 45 dollars", prior: 30 },
  { name: "flat_new_tariff", meaning: "the same from 2012-09-04 on, when it became 52", prior: 30 },
  { name: "flat_years", meaning: "years since 2012 on flat trips", prior: 30 },
  { name: "flat_km", meaning: "straight kilometres of flat trips", prior: 30 },
  { name: "flat_from_kennedy", meaning: "1 on flat trips from Kennedy", prior: 3 },
  { name: "flat_along", meaning: "flat trips: where along Manhattan the other end is, in 10 km", prior: 3 },
  { name: "from_laguardia", meaning: "1 if the trip starts at LaGuardia", prior: 30 },
  { name: "to_laguardia", meaning: "1 if the trip ends at LaGuardia", prior: 30 },
  { name: "from_laguardia_km", meaning: "straight kilometres from LaGuardia", prior: 30 },
  { name: "to_laguardia_km", meaning: "straight kilometres to LaGuardia", prior: 30 },
  {
    name: "from_laguardia_manhattan",
    meaning: "1 from LaGuardia to Manhattan, mostly over a toll",
    prior: 5,
  },
  { name: "to_laguardia_manhattan", meaning: "1 from Manhattan to LaGuardia, mostly over a toll", prior: 5 },
  {
    name: "from_laguardia_across",
    meaning: "from LaGuardia: how far east the other end is, in 10 km",
    prior: 5,
  },
  { name: "to_laguardia_across", meaning: "to LaGuardia: how far east the other end is, in 10 km", prior: 5 },
  { name: "from_newark", meaning: "1 if the trip starts at Newark airport", prior: 30 },
  { name: "to_newark", meaning: "1 if the trip ends at Newark airport, with its surcharge", prior: 30 },
  { name: "from_newark_km", meaning: "straight kilometres from Newark", prior: 30 },
];

/** Airports: flat fares, surcharges, and long roads of their own speed. */
export const airports: Group = {
  features,
  compute(trip: Context, out: Float64Array, at: number): void {
    const { pickup, dropoff, flat, straightKm } = trip;
    const along = pickup.kennedy > 0 ? dropoff.along : pickup.along;
    let i = at;
    out[i++] = pickup.kennedy;
    out[i++] = dropoff.kennedy;
    out[i++] = dropoff.kennedy * straightKm * trip.metered;
    out[i++] = flat;
    out[i++] = flat * trip.newTariff;
    out[i++] = flat * trip.years;
    out[i++] = flat * straightKm;
    out[i++] = flat * pickup.kennedy;
    out[i++] = (flat * Math.min(12, Math.max(-8, along))) / 10;
    out[i++] = pickup.laGuardia;
    out[i++] = dropoff.laGuardia;
    out[i++] = pickup.laGuardia * straightKm;
    out[i++] = dropoff.laGuardia * straightKm;
    out[i++] = pickup.laGuardia * dropoff.manhattan;
    out[i++] = dropoff.laGuardia * pickup.manhattan;
    out[i++] = (pickup.laGuardia * clip(dropoff.across)) / 10;
    out[i++] = (dropoff.laGuardia * clip(pickup.across)) / 10;
    out[i++] = pickup.newark;
    out[i++] = dropoff.newark;
    out[i++] = pickup.newark * straightKm;
  },
};

/** Kilometres of the grid's axes, kept where trips are common. */
export function clip(km: number): number {
  return Math.min(20, Math.max(-15, km));
}
