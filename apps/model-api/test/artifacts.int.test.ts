import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bodyOf } from "./support/api.ts";
import { type Running, startServer } from "./support/process.ts";

/** The body of the README's curl line, letter by letter. */
const README_BODY =
  '{"data":[{"pickup_latitude":70.15,"pickup_longitude":-40.22,"dropoff_latitude":70.83,"dropoff_longitude":-1.0,"passenger_count":2}]}';

let server: Running | undefined;

afterEach(async () => {
  server?.child.kill("SIGKILL");
  await server?.ended;
});

function artifact(version: string): string {
  return join(import.meta.dirname, "../../../artifacts", version, "model.json");
}

async function predict(url: string, body: string) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/predict/`, { method: "POST", headers, body });
  expect(response.status).toBe(200);
  return bodyOf(response);
}

describe.each(["1.0.0", "1.0.1"])("the trained model %s", (version) => {
  it("is served by a real process, ready and with its version", async () => {
    server = await startServer(["--color", "blue", "--model", artifact(version)]);
    const response = await fetch(`${server.url}/health/ready`);
    expect(response.status).toBe(200);
    expect(response.headers.get("X-Model-Version")).toBe(version);
  });

  it("answers the README's trip with a sane fare, marked as extrapolated", async () => {
    server = await startServer(["--model", artifact(version)]);
    const { predictions, model } = await predict(server.url, README_BODY);
    expect(model.version).toBe(version);
    expect(predictions).toEqual([{ fare_amount: expect.any(Number), extrapolated: true }]);
    expect(predictions[0].fare_amount).toBeGreaterThanOrEqual(2.5);
    expect(predictions[0].fare_amount).toBeLessThanOrEqual(500);
  });

  it("answers its golden rows as it says", async () => {
    server = await startServer(["--model", artifact(version)]);
    const { golden } = await bodyOf(await fetch(`${server.url}/model`));
    const data = golden.map(({ trip }: { trip: unknown }) => trip);
    const { predictions } = await predict(server.url, JSON.stringify({ data }));
    for (const [row, { fare_amount }] of golden.entries())
      expect(Math.abs(predictions[row].fare_amount - fare_amount)).toBeLessThanOrEqual(0.005 + 1e-9);
  });

  it("charges more for a longer trip, and for JFK about the flat fare", async () => {
    server = await startServer(["--model", artifact(version)]);
    const midtown = { pickup_latitude: 40.7549, pickup_longitude: -73.984, passenger_count: 1 };
    const at = { ...midtown, pickup_datetime: "2014-03-12 13:00:00" };
    const data = [
      { ...at, dropoff_latitude: 40.7589, dropoff_longitude: -73.9851 },
      { ...at, dropoff_latitude: 40.7794, dropoff_longitude: -73.9632 },
      { ...at, dropoff_latitude: 40.6446, dropoff_longitude: -73.7822 },
    ];
    const { predictions } = await predict(server.url, JSON.stringify({ data }));
    const [near, far, jfk] = predictions.map((row: { fare_amount: number }) => row.fare_amount);
    expect(near).toBeLessThan(far);
    expect(far).toBeLessThan(jfk);
    expect(jfk).toBeGreaterThan(35);
    expect(jfk).toBeLessThan(75);
  });
});
