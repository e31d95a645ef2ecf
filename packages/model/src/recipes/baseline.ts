import { fromWallSeconds } from "../datetime.ts";
import type { Inputs } from "../inputs.ts";
import type { Recipe } from "./recipe.ts";

/** What most public notebooks do: the straight distance, and the calendar as plain numbers. */
export const baseline: Recipe = {
  name: "baseline",
  features: [
    { name: "haversine_km", meaning: "great-circle distance between the ends, in kilometres" },
    { name: "passengers", meaning: "number of passengers" },
    { name: "hour", meaning: "hour of the pickup, 0 to 23" },
    { name: "month", meaning: "month of the pickup, 1 to 12" },
    { name: "weekday", meaning: "day of the week of the pickup, 0 is Sunday" },
    { name: "year", meaning: "year of the pickup" },
    { name: "weekend", meaning: "1 on Saturday and Sunday, else 0" },
  ],
  compute(inputs: Inputs, out: Float64Array, offset: number): void {
    const time = fromWallSeconds(inputs.seconds);
    out[offset] = inputs.distanceKm;
    out[offset + 1] = inputs.passengers;
    out[offset + 2] = time.hour;
    out[offset + 3] = time.month;
    out[offset + 4] = time.weekday;
    out[offset + 5] = time.year;
    out[offset + 6] = time.weekday === 0 || time.weekday === 6 ? 1 : 0;
  },
};
