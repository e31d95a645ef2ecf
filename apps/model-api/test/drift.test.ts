import { decilesOf, loadModel, mockArtifact, signArtifact } from "@sluice/model";
import { describe, expect, it } from "vitest";
import { createApp } from "../src/app.ts";
import { createService } from "../src/service.ts";
import { apiWithoutModel, TRIP, testApi } from "./support/api.ts";

/** A model that was trained on trips of 1 to 100 km and fares of 1 to 100 dollars, and on no latitude. */
function trainedApi() {
  const deciles = decilesOf(Float64Array.from({ length: 100 }, (_, i) => i + 1))!;
  const training_deciles = { distance_km: deciles, fare_amount: deciles };
  const model = loadModel(JSON.stringify(signArtifact({ ...mockArtifact(), training_deciles })));
  return createApp({ service: createService({ color: "blue", model }) });
}

async function predict(app: ReturnType<typeof createApp>, data: unknown[]): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const answer = await app.request("/predict", { method: "POST", headers, body: JSON.stringify({ data }) });
  expect(answer.status).toBe(200);
}

async function tenths(app: ReturnType<typeof createApp>): Promise<string[]> {
  const text = await (await app.request("/metrics")).text();
  return text.split("\n").filter((line) => line.startsWith("model_api_training_tenth_rows_total{"));
}

describe("the comparison with the training data", () => {
  it("has every tenth of every value at 0 before the first row", async () => {
    const lines = await tenths(trainedApi());
    expect(lines).toHaveLength(20);
    expect(lines.every((line) => line.endsWith(" 0"))).toBe(true);
  });

  it("counts each row of each request once for each value", async () => {
    const app = trainedApi();
    const far = { ...TRIP, dropoff_latitude: TRIP.pickup_latitude + 0.16 }; // 17.8 km, some 40 dollars
    await predict(app, [TRIP, TRIP, far]);
    await predict(app, [TRIP]);
    await tenths(app); // a scrape changes nothing
    const counted = (await tenths(app)).filter((line) => !line.endsWith(" 0"));
    expect(counted).toEqual([
      'model_api_training_tenth_rows_total{value="distance_km",tenth="1"} 3',
      'model_api_training_tenth_rows_total{value="distance_km",tenth="2"} 1',
      'model_api_training_tenth_rows_total{value="fare_amount",tenth="1"} 3',
      'model_api_training_tenth_rows_total{value="fare_amount",tenth="5"} 1',
    ]);
  });

  it("is not there for an artifact without deciles, nor without a model", async () => {
    const { app, predict: ask } = testApi();
    await ask({ data: [TRIP] });
    expect(await tenths(app)).toEqual([]);
    expect(await tenths(apiWithoutModel().app)).toEqual([]);
  });

  it("comes with the distribution of the fares", async () => {
    const app = trainedApi();
    await predict(app, [TRIP, TRIP]);
    const text = await (await app.request("/metrics")).text();
    expect(text).toContain('model_api_predicted_fare_dollars_bucket{le="6"} 0\n');
    expect(text).toContain('model_api_predicted_fare_dollars_bucket{le="9"} 2\n');
    expect(text).toContain("model_api_predicted_fare_dollars_count 2\n");
  });
});
