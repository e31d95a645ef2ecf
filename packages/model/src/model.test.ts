import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildArtifact } from "./build.ts";
import { mockArtifact } from "./mock.ts";
import { createPredictor } from "./model.ts";
import type { Trip } from "./trip.ts";

const trip: Trip = {
  pickup_latitude: 40.75,
  pickup_longitude: -73.99,
  dropoff_latitude: 40.75,
  dropoff_longitude: -73.99,
  passenger_count: 2,
  pickup_datetime: "2012-05-07 19:52:06",
};
const polar: Trip = {
  pickup_latitude: 70.15,
  pickup_longitude: -40.22,
  dropoff_latitude: 70.83,
  dropoff_longitude: -1.0,
  passenger_count: 2,
};
const model = createPredictor(mockArtifact());

describe("a predictor", () => {
  test("is the linear function of its artifact", () => {
    expect(model.predictFare(trip)).toBeCloseTo(4 + 0.2, 12);
    // One hundredth of a degree of latitude is 1.1119508 km.
    expect(model.predictFare({ ...trip, dropoff_latitude: 40.76 })).toBeCloseTo(4.2 + 2 * 1.1119508, 6);
    expect(model.predictFare({ ...trip, pickup_datetime: "2014-05-07 19:52:06" })).toBeCloseTo(5.2, 12);
  });

  test("divides by the standard deviation and subtracts the mean", () => {
    const artifact = mockArtifact();
    const at = artifact.features.indexOf("passengers");
    artifact.scaling.mean[at] = 1;
    artifact.scaling.sd[at] = 0.5;
    expect(createPredictor(artifact).predictFare(trip)).toBeCloseTo(4 + (0.1 * (2 - 1)) / 0.5, 12);
  });

  test("rounds to cents for clients, not for the golden rows", () => {
    const far = { ...trip, dropoff_latitude: 40.76 };
    expect(model.predict(far)).toEqual({ fare_amount: 6.42 });
    expect(model.predictFare(far)).not.toBe(6.42);
  });

  test("takes the artifact's typical time when a trip has none", () => {
    const { pickup_datetime: _, ...timeless } = trip;
    const typical = { ...trip, pickup_datetime: mockArtifact().typical_pickup_datetime };
    expect(model.predict(timeless)).toEqual(model.predict(typical));
  });

  test("never asks less than the base fare", () => {
    expect(createPredictor({ ...mockArtifact(), intercept: -50 }).predict(trip)).toEqual({
      fare_amount: 2.5,
    });
  });

  test("answers a trip at the pole sanely and marks it", () => {
    // The longest trained trip (60 km), two passengers, the typical year.
    expect(model.predict(polar)).toEqual({ fare_amount: 125.2, extrapolated: true });
  });

  test("never asks more for an extrapolation than the dearest trip of training", () => {
    expect(createPredictor({ ...mockArtifact(), fare_ceiling: 80 }).predict(polar).fare_amount).toBe(80);
  });

  test.each([
    ["pickup_latitude", 41],
    ["pickup_longitude", -75],
    ["dropoff_latitude", 40],
    ["dropoff_longitude", -73],
    ["passenger_count", 7],
    ["pickup_datetime", "2026-11-21 12:00:00"],
    ["pickup_datetime", "1999-11-21 12:00:00"],
  ])("marks a trip whose %s is outside the trained bounds", (field, value) => {
    expect(model.predict({ ...trip, [field]: value }).extrapolated).toBe(true);
  });

  test("answers a later date as the nearest trained year does", () => {
    const later = model.predict({ ...trip, pickup_datetime: "2026-11-21 12:00:00" });
    expect(later.fare_amount).toBe(
      model.predict({ ...trip, pickup_datetime: "2014-12-06 12:00:00" }).fare_amount,
    );
  });

  test.each([
    ["pickup_latitude", Number.NaN, "pickup_latitude is NaN: expected a finite number"],
    ["passenger_count", Number.POSITIVE_INFINITY, "passenger_count is Infinity: expected a finite number"],
    ["pickup_datetime", "soon", 'pickup_datetime is "soon": expected YYYY-MM-DD HH:MM:SS'],
  ])("refuses a trip whose %s is %s", (field, value, message) => {
    expect(() => model.predict({ ...trip, [field]: value })).toThrow(new RangeError(message));
  });

  test("gives a finite fare between base fare and ceiling for any place on earth", () => {
    const place = {
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    };
    fc.assert(
      fc.property(fc.record(place), fc.record(place), (from, to) => {
        const { fare_amount } = model.predict({
          ...trip,
          pickup_latitude: from.latitude,
          pickup_longitude: from.longitude,
          dropoff_latitude: to.latitude,
          dropoff_longitude: to.longitude,
        });
        expect(fare_amount).toBeGreaterThanOrEqual(2.5);
        expect(fare_amount).toBeLessThanOrEqual(150);
      }),
    );
  });

  test("is built only from 20 golden trips", () => {
    const { golden: _, digest: __, ...body } = mockArtifact();
    expect(() => buildArtifact(body, [trip])).toThrow("1 golden trips were given: expected 20.");
  });
});
