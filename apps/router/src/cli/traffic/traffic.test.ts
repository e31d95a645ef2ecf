import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  bodies,
  csv,
  HEADER,
  ROWS,
  router,
  SAMPLE,
  traffic,
  trips,
} from "../../../test/support/traffic-command.ts";

describe("sluice traffic", () => {
  it("asks for each trip of the file once, in its order, and says what came of it by color", async () => {
    const front = await router();
    const { code, stdout, summary } = await traffic(front.url, "--csv", trips, "--rps", "200");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(front.seen.every(({ method, url }) => method === "POST" && url === "/api/predict/")).toBe(true);
    expect(bodies(front).map(([trip]) => trip!.passenger_count)).toEqual([1, 2, 3, 4]);
    expect(bodies(front)[0]).toEqual([
      {
        pickup_latitude: 40.7,
        pickup_longitude: -73.98,
        dropoff_latitude: 40.8,
        dropoff_longitude: -73.95,
        passenger_count: 1,
        pickup_datetime: "2012-06-05T23:36:10Z",
      },
    ]);
    expect(summary).toMatchObject({ requests: 4, failed: 0, statuses: { 200: 4 }, dropped: 0, errors: {} });
    expect(summary.colors.blue).toMatchObject({ requests: 3, statuses: { 200: 3 } });
    expect(summary.colors.green).toMatchObject({ requests: 1, statuses: { 200: 1 } });
    const { mean, p50, p95, p99, max } = summary.latency!;
    expect([p50, p95, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p95, p99, max]);
    expect(mean).toBeGreaterThan(0);
    expect(summary.feedback).toBeNull();
  });

  it("gives each request an id of its own", async () => {
    const front = await router();
    await traffic(front.url, "--csv", trips, "--rps", "500", "--loop", "--requests", "12");
    const ids = front.seen.map(({ headers }) => headers["x-request-id"]);
    expect(new Set(ids).size).toBe(12);
    expect(ids.every((id) => /^traffic-[0-9a-f]{8}-\d+$/.test(String(id)))).toBe(true);
    expect(bodies(front).map(([trip]) => trip!.passenger_count)).toEqual([
      1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4,
    ]);
  });

  it("leaves out the rows that the trainer leaves out", async () => {
    const front = await router();
    const dirty = csv(
      HEADER,
      ROWS[0]!,
      "k,-5,2012-06-05 23:36:16 UTC,-73.98,40.7,-73.95,40.8,1",
      "k,oops",
      ROWS[1]!,
    );
    const { summary } = await traffic(front.url, "--csv", dirty, "--rps", "500");
    expect(summary).toMatchObject({ requests: 2, dropped: 2 });
  });

  it("sends several trips in one request, the rest of the file in the last", async () => {
    const front = await router();
    const { summary } = await traffic(front.url, "--csv", trips, "--rps", "500", "--batch", "3");
    expect(bodies(front).map((data) => data.length)).toEqual([3, 1]);
    expect(summary.requests).toBe(2);
  });

  it("shuffles alike for the same seed", async () => {
    const order = async (...seed: string[]) => {
      const front = await router();
      await traffic(front.url, "--csv", SAMPLE, "--rps", "2000", "--requests", "40", ...seed);
      return bodies(front)
        .map(([trip]) => JSON.stringify(trip))
        .toSorted();
    };
    const one = await order("--seed", "7");
    expect(await order("--seed", "7")).toEqual(one);
    expect(await order("--seed", "8")).not.toEqual(one);
    expect(await order()).not.toEqual(one);
  });

  it("reads the whole sample that comes with the project", async () => {
    const front = await router();
    const rows = readFileSync(SAMPLE, "utf8").trim().split("\n").length - 1;
    const { summary } = await traffic(front.url, "--csv", SAMPLE, "--rps", "4000", "--batch", "100");
    expect(bodies(front).flat()).toHaveLength(rows - summary.dropped);
  });
});
