import { describe, expect, it } from "vitest";
import { bodyOf, FAR_TRIP, TRIP, testApi } from "./support/api.ts";

describe("the model API with a mock model", () => {
  const { app, model, predict } = testApi();

  it("predicts a fare for each row, in order, and says who did", async () => {
    const response = await predict({ data: [TRIP, { ...TRIP, passenger_count: 6 }] });
    expect(response.status).toBe(200);
    const { name, version, digest } = model.artifact;
    expect(await bodyOf(response)).toEqual({
      predictions: [model.predict(TRIP), model.predict({ ...TRIP, passenger_count: 6 })],
      model: { name, version, digest },
      color: "blue",
    });
  });

  it("answers a trip far outside with a fare that is marked", async () => {
    const { predictions } = await bodyOf(await predict({ data: [FAR_TRIP] }));
    expect(predictions).toEqual([{ fare_amount: expect.any(Number), extrapolated: true }]);
    expect(predictions[0].fare_amount).toBeGreaterThanOrEqual(2.5);
    expect(predictions[0].fare_amount).toBeLessThanOrEqual(model.artifact.fare_ceiling);
  });

  it("is alive and ready", async () => {
    for (const path of ["/", "/health", "/health/live", "/health/ready"])
      expect((await app.request(path)).status, path).toBe(200);
  });
});
