import type { Inputs } from "../../inputs.ts";
import type { Recipe } from "../recipe.ts";
import { airports } from "./airports.ts";
import { clock } from "./clock.ts";
import { describeTrip } from "./context.ts";
import { distance } from "./distance.ts";
import { streets } from "./streets.ts";
import { zones } from "./zones.ts";

const groups = [distance, clock, airports, zones, streets];

/** What a driver knows: the street grid, the tariff and its change, traffic by hour and place, airports, rivers. */
export const full: Recipe = {
  name: "full",
  features: groups.flatMap((group) => group.features),
  compute(inputs: Inputs, out: Float64Array, offset: number): void {
    const trip = describeTrip(inputs);
    let at = offset;
    for (const group of groups) {
      group.compute(trip, out, at);
      at += group.features.length;
    }
  },
};
