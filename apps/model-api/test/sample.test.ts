import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeSample } from "../../../data/make-sample.ts";
import { DIRT } from "../../../data/sample/dirt.ts";
import { fare, type Ride } from "../../../data/sample/tariff.ts";

const COMMITTED = join(import.meta.dirname, "../../../data/sample.csv");
const cells = (line: string) => line.split(",");

describe("the sample of trips", () => {
  const lines = makeSample(4000, 1).trimEnd().split("\n");
  const rows = lines.slice(1).map(cells);
  const clean = rows.filter(([, , fare, , lon, lat, toLon, toLat, persons]) => {
    const inside = (text?: string, low = 0, high = 0) => Number(text) >= low && Number(text) <= high;
    const pickup = inside(lat, 40.5, 40.9) && inside(lon, -74.25, -73.7);
    const dropoff = inside(toLat, 40.5, 40.9) && inside(toLon, -74.25, -73.7);
    return pickup && dropoff && inside(fare, 0.01, 200) && inside(persons, 1, 6);
  });

  it("is the committed file, byte for byte", () => {
    expect(makeSample(4000, 1)).toBe(readFileSync(COMMITTED, "utf8"));
  });

  it("is made by the command in its README, whatever Node npm itself runs on", () => {
    const readme = readFileSync(join(COMMITTED, "../README.md"), "utf8");
    const command = /^npm exec -- node data\/make-sample\.ts .*$/m.exec(readme)![0];
    const folder = mkdtempSync(join(tmpdir(), "sluice-sample-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const out = join(folder, "sample.csv");
    const [npm, ...args] = command.split(" ").map((word) => (word === "data/sample.csv" ? out : word));
    const { status, stderr } = spawnSync(npm!, args, { cwd: join(COMMITTED, "../.."), encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(COMMITTED, "utf8"));
  });

  it("is not made of a bad option, which is refused in one line", () => {
    const script = join(COMMITTED, "../make-sample.ts");
    const { status, stderr } = spawnSync(process.execPath, [script, "--seed", "-1"], { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^Option '--seed' argument is ambiguous; usage: .*\n$/);
  });

  it("differs with the seed", () => {
    expect(makeSample(100, 1)).not.toBe(makeSample(100, 2));
  });

  it("has the columns and text formats of the real file", () => {
    expect(lines[0]).toBe(
      ",key,fare_amount,pickup_datetime,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,passenger_count",
    );
    expect(rows).toHaveLength(4000);
    for (const row of rows) {
      expect(row).toHaveLength(9);
      expect(row[0]).toMatch(/^\d+$/);
      expect(row[1]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{7,9}$/);
      expect(row[2]).toMatch(/^ ?-?\d+\.\d{1,2}$/);
      expect(row[3]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
      expect(row[8]).toMatch(/^\d+ ?$/);
    }
  });

  it("is dirty in every way the real file is, in about one row of thirty", () => {
    const has = (test: (row: string[]) => boolean) => expect(rows.some(test)).toBe(true);
    has((row) => row[4] === "0.0" && row[5] === "0.0" && row[6] === "0.0");
    has((row) => Number(row[4]) > 0 && Number(row[5]) < 0);
    has((row) => Number(row[5]) > 90);
    has((row) => row[6] === "" && row[7] === "");
    has((row) => Number(row[2]) === 0);
    has((row) => Number(row[2]) < 0);
    has((row) => Number(row[2]) > 200);
    has((row) => row[8] === "0");
    has((row) => row[8] === "208");
    expect(new Set(lines).size).toBeLessThan(lines.length);
    expect(4000 - clean.length).toBeGreaterThan(80);
    expect(4000 - clean.length).toBeLessThan(200);
    expect(Object.keys(DIRT)).toHaveLength(13);
  });

  it("has short Manhattan trips in the main, some airport flat fares, both tariffs and every hour", () => {
    const fares = clean.map((row) => Number(row[2])).sort((a, b) => a - b);
    const median = fares[Math.floor(fares.length / 2)];
    expect(median).toBeGreaterThan(6);
    expect(median).toBeLessThan(11);
    expect(fares.filter((fare) => fare === 45 || fare === 52).length).toBeGreaterThan(20);
    expect(new Set(clean.map((row) => row[3]!.slice(11, 13))).size).toBe(24);
    expect(new Set(clean.map((row) => row[3]!.slice(0, 4))).size).toBe(7);
  });
});

describe("the tariff", () => {
  const noon: Ride = { start: at("2011-03-01 12:00"), miles: 2, slowMinutes: 3, flat: false, toll: false };
  function at(clock: string): Date {
    return new Date(`${clock.replace(" ", "T")}:00Z`);
  }
  it.each([
    ["the first unit is in the initial charge", { miles: 0.1, slowMinutes: 0 }, 2.5],
    ["0.40 a unit before the change", {}, 7.3],
    ["still so the day before", { start: at("2012-09-03 12:00") }, 7.3],
    ["0.50 from the day of the change", { start: at("2012-09-04 12:00") }, 8.5],
    ["0.50 more at night", { start: at("2011-03-01 20:00") }, 7.8],
    ["until 6 h", { start: at("2011-03-01 05:59") }, 7.8],
    ["1.00 more in a weekday's rush hours", { start: at("2011-03-01 16:00") }, 8.3],
    ["but not on a Saturday", { start: at("2011-03-05 16:00") }, 7.3],
    ["flat 45", { flat: true }, 45],
    [
      "flat 52 after the change, and a toll",
      { flat: true, toll: true, start: at("2013-03-01 12:00") },
      57.33,
    ],
  ] as const)("%s", (_, change, dollars) => {
    expect(fare({ ...noon, ...change })).toBe(dollars);
  });
});
