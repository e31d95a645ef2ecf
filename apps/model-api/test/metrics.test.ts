import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { apiWithoutModel, FAR_TRIP, TRIP, testApi } from "./support/api.ts";

type App = ReturnType<typeof testApi>["app"];

async function scrape(app: App): Promise<string> {
  const response = await app.request("/metrics");
  expect(response.headers.get("Content-Type")).toMatch(/^text\/plain; version=0\.0\.4/);
  return response.text();
}

/** The value of one series. */
function series(text: string, name: string): number {
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}

describe("the metrics", () => {
  it("count fares, extrapolated ones, batches and refusals", async () => {
    const { app, predict } = testApi();
    await predict({ data: [TRIP, TRIP, FAR_TRIP] });
    await predict({ data: [] });
    await predict("{");
    const text = await scrape(app);
    expect(series(text, "model_api_predictions_total")).toBe(3);
    expect(series(text, "model_api_extrapolated_predictions_total")).toBe(1);
    expect(series(text, "model_api_batch_rows_count")).toBe(1);
    expect(series(text, 'model_api_batch_rows_bucket{le="2"}')).toBe(0);
    expect(series(text, 'model_api_rejected_requests_total{reason="invalid"}')).toBe(1);
    expect(series(text, 'model_api_rejected_requests_total{reason="malformed_json"}')).toBe(1);
    expect(series(text, 'model_api_rejected_requests_total{reason="body_too_large"}')).toBe(0);
  });

  it("count requests by method, route and code, and time them by route", async () => {
    const { app, predict } = testApi();
    await predict({ data: [TRIP] });
    await predict({ data: [] });
    const text = await scrape(app);
    const request = (code: number) =>
      series(text, `model_api_requests_total{method="POST",route="/api/predict/",code="${code}"}`);
    expect([request(200), request(422)]).toEqual([1, 1]);
    expect(series(text, 'model_api_request_duration_seconds_count{route="/api/predict/"}')).toBe(2);
    expect(series(text, "model_api_requests_in_flight")).toBe(1);
  });

  it("never take a path or method that a client made up as a label", async () => {
    const { app } = testApi();
    for (let i = 0; i < 20; i++) {
      await app.request(`/made-up-${i}`);
      await app.request("/health", { method: `BREW${i}` });
    }
    const text = await scrape(app);
    expect(text).not.toMatch(/made-up|BREW/);
    expect(series(text, 'model_api_requests_total{method="GET",route="unmatched",code="404"}')).toBe(20);
    expect(series(text, 'model_api_requests_total{method="OTHER",route="/health",code="405"}')).toBe(20);
  });

  it("say which model is served and whether it is ready", async () => {
    const { app, model, service } = testApi();
    const { version, digest } = model.artifact;
    const info = `model_api_model_info{name="taxi-fare",version="${version}",digest="${digest}",color="blue"}`;
    expect(series(await scrape(app), info)).toBe(1);
    expect(series(await scrape(app), "model_api_ready")).toBe(1);
    service.drain();
    expect(series(await scrape(app), "model_api_ready")).toBe(0);
    const without = await scrape(apiWithoutModel().app);
    expect(
      series(without, 'model_api_model_info{name="none",version="none",digest="none",color="green"}'),
    ).toBe(1);
    expect(series(without, "model_api_ready")).toBe(0);
  });

  it("belong to one app each", async () => {
    const [one, other] = [testApi(), testApi()];
    await one.predict({ data: [TRIP] });
    expect(series(await scrape(other.app), "model_api_predictions_total")).toBe(0);
  });

  it("include the process, without the gauges whose names promtool objects to", async () => {
    const text = await scrape(testApi().app);
    expect(text).toContain("process_cpu_seconds_total");
    expect(text).not.toMatch(/^# TYPE \S+_total gauge/m);
  });

  it("leave promtool nothing to say", async ({ skip }) => {
    const { app, predict } = testApi();
    await predict({ data: [TRIP, FAR_TRIP] });
    const found = spawnSync("promtool", ["check", "metrics"], { input: await scrape(app), encoding: "utf8" });
    if (found.error) skip("promtool is not installed (package prometheus)");
    expect(found.stdout + found.stderr).toBe("");
    expect(found.status).toBe(0);
  });
});
