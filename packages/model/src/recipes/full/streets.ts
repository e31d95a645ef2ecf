import type { Feature } from "../recipe.ts";
import type { Context, Group } from "./context.ts";

/** Knots of a grid over Manhattan and the near sides of its neighbours, kilometres across and along the avenues. */
const across = [-1.5, 0, 1.5, 4];
const along = [-6, -4, -2, 0, 2, 4, 6];
/** The last column across only takes the weight of what lies further east; it has no features. */
const columns = across.length - 1;

const sides = ["west", "middle", "east"];
const heights = [
  "Brooklyn side",
  "Wall Street",
  "SoHo",
  "34th Street",
  "72nd Street",
  "Harlem",
  "Washington Heights",
];

const features: Feature[] = ["across", "along"].flatMap((leg) =>
  sides.flatMap((side) =>
    heights.map((height) => ({
      name: `${leg}_km_${side}_${height.toLowerCase().replaceAll(" ", "_")}`,
      meaning: `kilometres ${leg} the avenues near ${height}, ${side}: how slow its streets are`,
      prior: leg === "across" ? 0.5 : 0.25,
    })),
  ),
);

/**
 * How slow the streets are where the middle of the trip lies: its weight is shared by the four nearest knots (bilinear
 * interpolation), and multiplies the metered length across and along the avenues.
 */
export const streets: Group = {
  features,
  compute(trip: Context, out: Float64Array, at: number): void {
    const cells = columns * along.length;
    out.fill(0, at, at + 2 * cells);
    const acrossKm = Math.min(trip.acrossKm, 8) * trip.metered;
    const alongKm = Math.min(trip.alongKm, 16) * trip.metered;
    const x = place(across, (trip.pickup.across + trip.dropoff.across) / 2);
    const y = place(along, (trip.pickup.along + trip.dropoff.along) / 2);
    for (let dx = 0; dx < 2; dx++) {
      const column = Math.floor(x) + dx;
      if (column >= columns) continue;
      for (let dy = 0; dy < 2; dy++) {
        const row = Math.floor(y) + dy;
        if (row >= along.length) continue;
        const weight = Math.abs(1 - dx - (x % 1)) * Math.abs(1 - dy - (y % 1));
        const cell = at + column * along.length + row;
        out[cell] = weight * acrossKm;
        out[cell + cells] = weight * alongKm;
      }
    }
  },
};

/** A coordinate as index and fraction between knots; beyond them it is the outermost knot. */
function place(knots: readonly number[], km: number): number {
  if (km <= knots[0]!) return 0;
  for (let i = 1; i < knots.length; i++) {
    if (km < knots[i]!) return i - 1 + (km - knots[i - 1]!) / (knots[i]! - knots[i - 1]!);
  }
  return knots.length - 1;
}
