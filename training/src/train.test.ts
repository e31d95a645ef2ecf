import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@sluice/model";
import { describe, expect, test } from "vitest";
import { fileOf, folder, goodRow, header, madeUp } from "../test/trips-csv.ts";
import { evaluate } from "./evaluate.ts";
import { InputProblem } from "./problem.ts";
import { type TrainOptions, train } from "./train.ts";

const polar = {
  pickup_latitude: 70.15,
  pickup_longitude: -40.22,
  dropoff_latitude: 70.83,
  dropoff_longitude: -1.0,
  passenger_count: 2,
};

function options(changes: Partial<TrainOptions> = {}): TrainOptions {
  return { csv: fileOf(madeUp(800)), recipe: "full", version: "1.0.1", out: folder(), ...changes };
}

describe("train", () => {
  test.each(["baseline", "full"])("writes a model by recipe %s that a server accepts", async (recipe) => {
    const { artifact } = await train(options({ recipe }));
    const model = loadModel(JSON.stringify(artifact));
    expect(model.artifact.training_data).toMatchObject({ rows_read: 800, seed: 1 });
    expect(model.artifact.metrics.r2).toBeGreaterThan(0.9);
    const { fare_amount, extrapolated } = model.predict(polar);
    expect(extrapolated).toBe(true);
    expect(fare_amount).toBeGreaterThan(20);
    expect(fare_amount).toBeLessThan(250);
  });

  test("says what parts its training rows in tenths", async () => {
    const { artifact, file } = await train(options());
    const deciles = artifact.training_deciles!;
    expect(Object.keys(deciles)).toEqual(expect.arrayContaining(["distance_km", "fare_amount"]));
    const lengths = Array.from({ length: file.trips.length }, (_, i) => file.trips.inputs(i).distanceKm);
    const shorter = lengths.filter((km) => km <= deciles.distance_km![4]!).length / lengths.length;
    expect(Math.abs(shorter - 0.5)).toBeLessThan(0.06); // the deciles are of every fourth training row
  });

  test("writes the three files, which name one digest", async () => {
    const given = options();
    const { artifact } = await train(given);
    expect(readdirSync(given.out).sort()).toEqual(["metrics.json", "model.json", "report.html"]);
    const read = (name: string) => readFileSync(join(given.out, name), "utf8");
    expect(loadModel(read("model.json")).artifact).toEqual(artifact);
    expect(JSON.parse(read("metrics.json")).model.digest).toBe(artifact.digest);
    expect(read("report.html")).toContain(artifact.digest);
  });

  test("gives the same digest for the same input and seed at any time, another for another seed", async () => {
    const given = options();
    const digest = async (changes: Partial<TrainOptions>) =>
      (await train({ ...given, ...changes })).artifact.digest;
    const first = await digest({ now: new Date(0) });
    expect(await digest({ now: new Date(1e12) })).toBe(first);
    expect(await digest({ seed: 2 })).not.toBe(first);
    expect(await digest({ version: "1.0.2" })).not.toBe(first);
  });

  test("measures on the test split what evaluate measures on the same rows", async () => {
    const given = options();
    const { artifact, test: tested } = await train(given);
    const lines = readFileSync(given.csv, "utf8").split("\n");
    const kept = [...tested.rows].map((row) => lines[row + 1]);
    const csv = fileOf(`${header}\n${kept.join("\n")}\n${goodRow.replace("7.5", "0")}\n`);
    const { rmse, mae, r2, rows_used, rows_dropped } = await evaluate(join(given.out, "model.json"), csv);
    expect(rows_used).toBe(artifact.metrics.n);
    expect(rows_dropped).toBe(1);
    expect(rmse).toBeCloseTo(artifact.metrics.rmse, 10);
    expect(mae).toBeCloseTo(artifact.metrics.mae, 10);
    expect(r2).toBeCloseTo(artifact.metrics.r2, 10);
  });

  test("compares with the mean fare and the tariff", async () => {
    const { test: tested } = await train(options());
    expect(tested.baselines.mean_fare.r2).toBeCloseTo(0, 1);
    expect(tested.model.rmse).toBeLessThan(tested.baselines.tariff_formula.rmse);
    expect(tested.baselines.tariff_formula.rmse).toBeLessThan(tested.baselines.mean_fare.rmse);
  });

  test("says how many rows fell to which rule, how the rows were split and what was left out", async () => {
    const lines: string[] = [];
    const csv = fileOf(`${madeUp(300)}${goodRow.replace(",1", ",0").replace("7.5", "-1")}\n`);
    await train(
      options({ csv, recipe: "full", reporter: { line: (text) => lines.push(text), progress() {} } }),
    );
    expect(lines[0]).toBe("301 rows read, 1 dropped: fare_not_above_0 1");
    expect(lines[1]).toBe("240 rows to fit, 60 to test (seed 1)");
    expect(lines).toContain('column "to_newark" is 0 in every row: it is left out.');
    expect(lines.at(-1)).toMatch(
      /^wrote model\.json, metrics\.json and report\.html to .* \(sha256:\w{64}\)$/,
    );
  });

  test.each([
    [{ recipe: "best" }, 'recipe "best" is unknown: expected baseline or full.'],
    [{ recipe: "toString" }, 'recipe "toString" is unknown: expected baseline or full.'],
    [{ version: "v1" }, 'version "v1" is no semantic version: expected one like 1.0.0.'],
    [{ seed: -1 }, "seed -1 is out of range: expected a whole number from 0 to 4294967295."],
    [{ seed: 0.5 }, "seed 0.5 is out of range: expected a whole number from 0 to 4294967295."],
  ])("refuses %j and writes nothing", async (changes, sentence) => {
    const given = options(changes);
    await expect(train(given)).rejects.toThrow(new InputProblem(sentence));
    expect(readdirSync(given.out)).toEqual([]);
  });

  test("refuses too few rows, at all or for the features", async () => {
    const few = options({ csv: fileOf(madeUp(99)) });
    await expect(train(few)).rejects.toThrow("has 99 usable rows: at least 100 are needed.");
    const full = options({ csv: fileOf(madeUp(120)) });
    await expect(train(full)).rejects.toThrow(
      /^96 rows are too few to fit \d+ features: at least \d+ are needed\.$/,
    );
    expect([readdirSync(few.out), readdirSync(full.out)]).toEqual([[], []]);
  });
});

describe("evaluate", () => {
  test.each([
    ["is missing", undefined, "does not exist."],
    ["is cut off", (text: string) => text.slice(0, 900), "cannot be used: it is not JSON, perhaps cut off"],
    [
      "was changed",
      (text: string) => text.replace(/"intercept": \d/, '"intercept": 9'),
      "cannot be used: the digest is",
    ],
  ])("refuses a model that %s", async (_, change, sentence) => {
    const given = options({ recipe: "baseline" });
    await train(given);
    const text = readFileSync(join(given.out, "model.json"), "utf8");
    const path = change ? fileOf(change(text), "model.json") : join(given.out, "nothing.json");
    await expect(evaluate(path, given.csv)).rejects.toThrow(`${path} ${sentence}`);
  });
});

describe("report.html", () => {
  test("shows every feature with its meaning and loads nothing from elsewhere", async () => {
    const given = options();
    const { fit } = await train(given);
    const html = readFileSync(join(given.out, "report.html"), "utf8");
    for (const { name } of fit.features) expect(html).toContain(`<code>${name}</code>`);
    for (const title of ["Predicted against actual", "Residuals", "Error by distance", "Error by hour"]) {
      expect(html).toContain(`<h2>${title}</h2>`);
    }
    expect(html.match(/<svg [^>]*role="img" aria-label="\w/g)).toHaveLength(4);
    expect(html).not.toMatch(/https?:|src=|@import|url\(|NaN|undefined|Infinity/);
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).toContain("<th>mean absolute error</th>");
  });

  test("says above each bar of the distances how many trips it stands for", async () => {
    const given = options();
    const { test: tested } = await train(given);
    const html = readFileSync(join(given.out, "report.html"), "utf8");
    const chart = /aria-label="Error by straight distance.*?<\/svg>/s.exec(html)![0];
    const counts = [...chart.matchAll(/<text class="count"[^>]*>([\d,]+)</g)].map(([, text]) => Number(text));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(tested.rows.length);
  });

  test("can be drawn of a model that makes no error", async () => {
    const lines = madeUp(400).trim().split("\n");
    const rows = lines.slice(1).map((line) => line.replace(/^(\d+,k),[^,]+/, "$1,10"));
    const given = options({ csv: fileOf(`${header}\n${rows.join("\n")}\n`), recipe: "baseline" });
    await train(given);
    expect(readFileSync(join(given.out, "report.html"), "utf8")).not.toMatch(/NaN|undefined|Infinity/);
  });
});
