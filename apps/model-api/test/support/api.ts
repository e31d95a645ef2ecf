import { loadModel, type Model, mockArtifact } from "@sluice/model";
import { createApp } from "../../src/app.ts";
import { createService, type Service } from "../../src/service.ts";

/** A short trip in Manhattan, by night so that nothing depends on surcharges. */
export const TRIP = {
  pickup_latitude: 40.7383,
  pickup_longitude: -73.9998,
  dropoff_latitude: 40.7232,
  dropoff_longitude: -73.9995,
  passenger_count: 1,
  pickup_datetime: "2014-05-07 22:52:06 UTC",
};

/** The README's trip: far outside New York. */
export const FAR_TRIP = {
  pickup_latitude: 70.15,
  pickup_longitude: -40.22,
  dropoff_latitude: 70.83,
  dropoff_longitude: -1.0,
  passenger_count: 2,
};

export interface TestApi {
  readonly service: Service;
  readonly model: Model;
  readonly app: ReturnType<typeof createApp>;
  /** POSTs a body to the prediction path; text goes out as it is. */
  predict(body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** An app with the mock model, color blue; no socket. */
export function testApi(bodyLimit?: number): TestApi {
  const model = loadModel(JSON.stringify(mockArtifact("1.2.3")));
  const service = createService({ color: "blue", model });
  return withPredict(service, model, bodyLimit);
}

/** The same without a model. */
export function apiWithoutModel(): Omit<TestApi, "model"> {
  return withPredict(createService({ color: "green" }), undefined as never);
}

function withPredict(service: Service, model: Model, bodyLimit?: number): TestApi {
  const app = createApp({ service, ...(bodyLimit ? { bodyLimit } : {}) });
  const predict = async (body: unknown, headers = {}) =>
    app.request("/api/predict/", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { service, model, app, predict };
}

/** A body as JSON of whatever shape the test expects. */
export async function bodyOf(response: Response) {
  return JSON.parse(await response.text());
}
