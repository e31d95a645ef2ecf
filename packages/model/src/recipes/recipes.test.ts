import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePickupDatetime, wallSeconds } from "../datetime.ts";
import { makeInputs } from "../inputs.ts";
import { findRecipe, recipes } from "./index.ts";

const places: Record<string, readonly [latitude: number, longitude: number]> = {
  midtown: [40.7549, -73.984],
  harlem: [40.8116, -73.9465],
  kennedy: [40.6446, -73.7829],
  laGuardia: [40.7745, -73.8719],
  newark: [40.6895, -74.1745],
  hoboken: [40.744, -74.0324],
  statenIsland: [40.58, -74.15],
  greatNeck: [40.78, -73.72],
  williamsburg: [40.7143, -73.9535],
};

function features(
  recipe: string,
  from: string,
  to: string,
  time = "2014-05-07 12:00:00",
): Record<string, number> {
  const { features, compute } = findRecipe(recipe)!;
  const values = new Float64Array(features.length);
  const seconds = wallSeconds(parsePickupDatetime(time)!);
  compute(makeInputs(...places[from]!, ...places[to]!, 2, seconds), values, 0);
  return Object.fromEntries(features.map((feature, i) => [feature.name, values[i]!]));
}

describe.each(Object.values(recipes))("recipe $name", (recipe) => {
  test("names each feature once and says what it measures", () => {
    const names = recipe.features.map((feature) => feature.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, meaning } of recipe.features) {
      expect(name).toMatch(/^[a-z][a-z0-9_.]*$/);
      expect(meaning.length).toBeGreaterThan(10);
    }
  });

  test("writes its features and nothing else, all finite, for any trip in the area at any time", () => {
    const latitude = fc.double({ min: 40.5, max: 40.9, noNaN: true });
    const longitude = fc.double({ min: -74.25, max: -73.7, noNaN: true });
    const seconds = fc.integer({ min: 1_200_000_000, max: 1_500_000_000 });
    const inputs = fc.tuple(
      latitude,
      longitude,
      latitude,
      longitude,
      fc.integer({ min: 1, max: 6 }),
      seconds,
    );
    const size = recipe.features.length;
    fc.assert(
      fc.property(inputs, (values) => {
        const out = new Float64Array(size + 4).fill(Number.NaN);
        recipe.compute(makeInputs(...values), out, 2);
        expect([...out.slice(0, 2), ...out.slice(-2)]).toEqual([NaN, NaN, NaN, NaN]);
        expect(out.slice(2, -2).every(Number.isFinite)).toBe(true);
      }),
    );
  });

  test("gives the same features whatever was in the array before", () => {
    const inputs = makeInputs(...places.midtown!, ...places.harlem!, 1, 1_400_000_000);
    const [clean, dirty] = [
      new Float64Array(recipe.features.length),
      new Float64Array(recipe.features.length).fill(9),
    ];
    recipe.compute(inputs, clean, 0);
    recipe.compute(inputs, dirty, 0);
    expect(dirty).toEqual(clean);
  });
});

test("baseline reads the calendar", () => {
  expect(features("baseline", "midtown", "midtown", "2014-05-10 17:59:59")).toEqual({
    haversine_km: 0,
    passengers: 2,
    hour: 17,
    month: 5,
    weekday: 6,
    year: 2014,
    weekend: 1,
  });
});

describe("recipe full", () => {
  test("measures along a grid that is turned by 29 degrees", () => {
    // From Midtown to Harlem it is nearly straight up the avenues.
    const trip = features("full", "midtown", "harlem");
    expect(trip.grid_km).toBeGreaterThan(7.0);
    expect(trip.grid_km).toBeLessThan(7.4);
    expect(trip.within_manhattan).toBe(1);
    expect(trip.river_km).toBe(0);
  });

  test.each([
    ["kennedy", "midtown", "flat"],
    ["midtown", "kennedy", "flat"],
    ["laGuardia", "midtown", "from_laguardia_manhattan"],
    ["midtown", "laGuardia", "to_laguardia_manhattan"],
    ["midtown", "newark", "to_newark"],
    ["hoboken", "hoboken", "new_jersey_still"],
    ["midtown", "statenIsland", "to_staten_island"],
    ["midtown", "hoboken", "from_manhattan"],
  ] as const)("from %s to %s sets %s", (from, to, name) => {
    expect(features("full", from, to)[name]).toBe(1);
    expect(features("full", "williamsburg", "williamsburg")[name]).toBe(0);
  });

  test("counts kilometres to Nassau and to New Jersey apart", () => {
    expect(features("full", "midtown", "greatNeck").to_nassau_km).toBeGreaterThan(2);
    expect(features("full", "midtown", "hoboken").to_new_jersey_km).toBeGreaterThan(0.4);
    expect(features("full", "midtown", "greatNeck").to_new_jersey_km).toBe(0);
  });

  test("does not count the length of a flat trip", () => {
    const { grid_km, river_km, new_tariff, hour_sin1_km, flat_new_tariff } = features(
      "full",
      "kennedy",
      "midtown",
    );
    expect({ grid_km, river_km, new_tariff, hour_sin1_km }).toEqual({
      grid_km: 0,
      river_km: 0,
      new_tariff: 0,
      hour_sin1_km: 0,
    });
    expect(flat_new_tariff).toBe(1);
  });

  test("changes the tariff at midnight of 2012-09-04", () => {
    expect(features("full", "midtown", "harlem", "2012-09-03 23:59:59").new_tariff).toBe(0);
    expect(features("full", "midtown", "harlem", "2012-09-04 00:00:00").new_tariff).toBe(1);
  });

  test.each([
    ["2014-05-07 16:00:00", 1, 0],
    ["2014-05-07 19:59:59", 1, 0],
    ["2014-05-07 20:00:00", 0, 1],
    ["2014-05-08 05:59:59", 0, 1],
    ["2014-05-10 17:00:00", 0, 0],
  ])("knows the surcharges of %s", (time, rush_hour, night) => {
    expect(features("full", "midtown", "harlem", time)).toMatchObject({ rush_hour, night });
  });

  test("shares the weight of a street's place among its knots", () => {
    const trip = features("full", "midtown", "harlem");
    const along = Object.entries(trip).filter(([name, value]) => name.startsWith("along_km_") && value !== 0);
    expect(along.length).toBeLessThanOrEqual(4);
    const sum = along.reduce((total, [, value]) => total + value, 0);
    expect(sum).toBeGreaterThan(6.5);
    expect(sum).toBeLessThanOrEqual(trip.grid_km!);
  });
});
