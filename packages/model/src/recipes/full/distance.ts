import type { Feature } from "../recipe.ts";
import type { Context, Group } from "./context.ts";

const gridHinges = [1, 2, 3, 5, 12, 20];
const straightHinges = [2, 4, 8, 14];

const features: Feature[] = [
  { name: "passengers", meaning: "number of passengers", prior: 30 },
  { name: "grid_km", meaning: "kilometres along the street grid, which is turned 29° from north", prior: 30 },
  {
    name: "standing",
    meaning:
      "1 for a trip that goes nowhere, falling to 0 at half a kilometre: fares that were agreed on or mistyped",
    prior: 30,
  },
  ...gridHinges.map((km) => ({
    name: `grid_km_over_${km}`,
    meaning: `grid kilometres beyond the first ${km}`,
    prior: 30,
  })),
  ...straightHinges.map((km) => ({
    name: `straight_km_over_${km}`,
    meaning: `straight kilometres beyond the first ${km}`,
    prior: 30,
  })),
  { name: "new_tariff", meaning: "1 from 2012-09-04 on, when the tariff rose", prior: 30 },
  { name: "new_tariff_grid_km", meaning: "grid kilometres under the tariff of 2012-09-04", prior: 30 },
  { name: "years", meaning: "years since 2012", prior: 30 },
  { name: "years_straight_km", meaning: "straight kilometres times years since 2012", prior: 30 },
];

/** How far, under which tariff. Trips at the flat fare have 0 everywhere: their length does not count. */
export const distance: Group = {
  features,
  compute(trip: Context, out: Float64Array, at: number): void {
    const grid = trip.gridKm * trip.metered;
    const straight = trip.straightKm * trip.metered;
    let i = at;
    out[i++] = trip.passengers;
    out[i++] = grid;
    out[i++] = Math.max(0, 1 - 2 * grid) * trip.metered;
    for (const km of gridHinges) out[i++] = Math.max(0, grid - km);
    for (const km of straightHinges) out[i++] = Math.max(0, straight - km);
    out[i++] = trip.newTariff * trip.metered;
    out[i++] = trip.newTariff * grid;
    out[i++] = trip.years * trip.metered;
    out[i++] = trip.years * straight;
  },
};
