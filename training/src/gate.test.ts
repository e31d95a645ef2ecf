import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Artifact, type ArtifactBody, buildArtifact, type Trip } from "@sluice/model";
import { beforeAll, describe, expect, test } from "vitest";
import { fileOf, folder, madeUp } from "../test/trips-csv.ts";
import { gate } from "./gate.ts";
import { train } from "./train.ts";

const apart = madeUp(600, 7);
const text = madeUp(1000);
let trained: Artifact;

beforeAll(async () => {
  const out = mkdtempSync(join(tmpdir(), "sluice-gate-"));
  const csv = join(out, "trips.csv");
  writeFileSync(csv, text);
  trained = (await train({ csv, recipe: "baseline", version: "1.0.0", out })).artifact;
  return () => rmSync(out, { recursive: true });
});

/** Another model.json, made from the trained one. */
function modelOf(change: Partial<ArtifactBody> = {}, trips?: Trip[]): string {
  const { golden, digest: _, ...body } = trained;
  const artifact = buildArtifact({ ...body, ...change }, trips ?? golden.map((row) => row.trip));
  return fileOf(JSON.stringify(artifact), "model.json");
}

/**
 * A model whose RMSE on the rows is `ratio` times the trained one's, because all its fares are too high by the same d:
 * its squared RMSE is R² + 2 · m · d + d², with the trained one's RMSE R and mean error m.
 */
async function worseBy(ratio: number, csv: string): Promise<string> {
  const shifted = (by: number) => modelOf({ intercept: trained.intercept + by, version: "1.0.1" });
  const square = async (by: number) => (await gate({ candidate: shifted(by), csv })).candidate.rmse! ** 2;
  const [R2, m] = [await square(0), ((await square(1)) - (await square(0)) - 1) / 2];
  return shifted(-m + Math.sqrt(m ** 2 + (ratio ** 2 - 1) * R2));
}

function cli(...args: string[]) {
  const path = join(import.meta.dirname, "cli", "gate.ts");
  return spawnSync(process.execPath, [path, ...args], { encoding: "utf8" });
}

describe("the rule is 2 % RMSE on the same rows", () => {
  test("an equal model ships, with a change of 0", async () => {
    const verdict = await gate({
      candidate: modelOf({ version: "1.0.1" }),
      stable: modelOf(),
      csv: fileOf(apart),
    });
    expect(verdict).toMatchObject({ ships: true, rmse_change: 0, rmse_change_95: [0, 0] });
    expect(verdict.rows).toMatchObject({ used: 600, held_out: "all", dropped: 0 });
  });

  test.each([
    [1.01, true],
    [1.0195, true],
    [1.0205, false],
    [1.5, false],
  ])("a model whose RMSE is %f of the stable one's: ships %s", async (ratio, ships) => {
    const csv = fileOf(apart);
    const verdict = await gate({ candidate: await worseBy(ratio, csv), stable: modelOf(), csv });
    expect(verdict.ships).toBe(ships);
    expect(verdict.rmse_change).toBeCloseTo(ratio - 1, 2);
    expect(verdict.rmse_change_95![0]).toBeLessThan(ratio - 1);
    expect(verdict.rmse_change_95![1]).toBeGreaterThan(ratio - 1);
  });

  test("another tolerance moves the limit", async () => {
    const csv = fileOf(apart);
    const candidate = await worseBy(1.04, csv);
    expect((await gate({ candidate, stable: modelOf(), csv, tolerance: 0.05 })).ships).toBe(true);
    expect((await gate({ candidate, stable: modelOf(), csv, tolerance: 0 })).ships).toBe(false);
  });

  test("the first release ships, and says so", async () => {
    const verdict = await gate({ candidate: modelOf(), csv: fileOf(apart) });
    expect(verdict).toMatchObject({ ships: true, stable: null, rmse_change: null });
    expect(verdict.reason).toMatch(
      /^model 1\.0\.0 ships: it is the first release \(RMSE \d+\.\d{4} on 600 rows\)\.$/,
    );
  });
});

describe("predictions that are no numbers", () => {
  /** Finite on short trips of one passenger, such as the golden ones here; NaN on others. */
  const sick = () => {
    const trip = { ...trained.golden[0]!.trip, passenger_count: 1 };
    const { pickup_latitude: dropoff_latitude, pickup_longitude: dropoff_longitude } = trip;
    const weight: Record<string, number> = { haversine_km: 1.7e308, passengers: -1.7e308 };
    const coefficients = trained.features.map((name) => weight[name] ?? 0);
    const scaling = { mean: coefficients.map(() => 0), sd: coefficients.map(() => 1) };
    const golden = Array.from({ length: 20 }, () => ({ ...trip, dropoff_latitude, dropoff_longitude }));
    return modelOf({ coefficients, scaling, version: "6.6.6" }, golden);
  };

  test("keep a candidate from shipping, the first release too", async () => {
    for (const stable of [modelOf(), undefined]) {
      const verdict = await gate({ candidate: sick(), stable, csv: fileOf(apart) });
      expect(verdict).toMatchObject({ ships: false, rmse_change: null, candidate: { rmse: null } });
      expect(verdict.candidate.not_finite).toBeGreaterThan(100);
      expect(verdict.reason).toMatch(
        /6\.6\.6 does not ship: it has no finite RMSE on 600 rows \(\d+ of 600 /,
      );
    }
  });

  test("of the model in service keep no sound candidate back", async () => {
    const verdict = await gate({ candidate: modelOf(), stable: sick(), csv: fileOf(apart) });
    expect(verdict).toMatchObject({ ships: true, stable: { rmse: null } });
    expect((await gate({ candidate: sick(), stable: sick(), csv: fileOf(apart) })).ships).toBe(false);
  });
});

describe("the rows", () => {
  test("are the test split, where the models were trained on the file itself", async () => {
    const verdict = await gate({ candidate: modelOf(), stable: modelOf(), csv: fileOf(text) });
    expect(verdict.rows).toMatchObject({ used: 200, held_out: "test split", notes: [] });
    expect(verdict.candidate.rmse).toBeCloseTo(trained.metrics.rmse, 12);
  });

  test("are in both test splits, where the seeds differ", async () => {
    const [csv, out] = [fileOf(text), folder()];
    await train({ csv, recipe: "baseline", version: "1.0.1", out, seed: 2 });
    const verdict = await gate({ candidate: join(out, "model.json"), stable: modelOf(), csv }).catch(String);
    // A fifth of a fifth of 1000 rows, too few to compare.
    expect(verdict).toMatch(
      /has [2-4]\d rows that no model was fitted to: at least 50 are needed to compare\.$/,
    );
  });

  test("say when the stable model may have seen them", async () => {
    const [csv, out] = [fileOf(madeUp(500, 3)), folder()];
    await train({ csv, recipe: "baseline", version: "1.0.1", out });
    const { rows } = await gate({ candidate: join(out, "model.json"), stable: modelOf(), csv });
    expect(rows).toMatchObject({ used: 100, held_out: "test split" });
    expect(rows.notes).toEqual([
      expect.stringMatching(/^the stable model was trained on another file, and may/),
    ]);
  });

  test("of a split that cannot be drawn again are unknown for the stable model, refused for the candidate", async () => {
    const csv = fileOf(text);
    const other = modelOf({ training_data: { ...trained.training_data, rows_test: 150 } });
    const { rows } = await gate({ candidate: modelOf(), stable: other, csv });
    expect(rows.notes).toEqual([expect.stringContaining("this file, but with another split or cleaning")]);
    await expect(gate({ candidate: other, csv })).rejects.toThrow(
      /in another way than for the candidate: train it/,
    );
  });
});

describe("the command", () => {
  test("prints one JSON object and one sentence: exit 0 ships, 1 does not", async () => {
    const csv = fileOf(apart);
    const [good, worse] = [modelOf(), await worseBy(1.1, csv)];
    const ships = cli("--candidate", good, "--stable", worse, "--csv", csv);
    expect(ships.status).toBe(0);
    expect(JSON.parse(ships.stdout)).toMatchObject({ ships: true, tolerance: 0.02 });
    const refused = cli("--candidate", worse, "--stable", good, "--csv", csv);
    expect(refused.status).toBe(1);
    expect(refused.stdout.trim().split("\n")).toHaveLength(1);
    expect(refused.stderr).toMatch(
      /^gate: model 1\.0\.1 does not ship: RMSE \S+ against \S+ of 1\.0\.0 in service on the same 600 rows \(\+(?:9\.9|10\.0)\d %, allowed \+2\.00 %\)\.\n$/,
    );
  });

  test.each([
    ["no file", ["--candidate", "gone.json", "--csv", "x.csv"], /^gate: .*gone\.json does not exist\.\n$/],
    [
      "an empty path",
      ["--candidate", "a", "--csv", "b", "--stable", ""],
      /^gate: --stable is empty: expected the path/,
    ],
    [
      "a bad tolerance",
      ["--candidate", "a", "--csv", "b", "--tolerance", "2%"],
      /^gate: --tolerance is "2%": expected/,
    ],
    ["no options", [], /required option '--candidate <file>' not specified\n$/],
  ])("exits with 2 and one sentence for %s", (_, args, sentence) => {
    const { status, stdout, stderr } = cli(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("a file that cannot be compared is no verdict", () => {
  const textOf = () => readFileSync(modelOf(), "utf8");
  const newer = () => fileOf(JSON.stringify({ ...trained, schema_version: 2 }), "model.json");
  const cut = () => fileOf(textOf().slice(0, 900), "model.json");
  const forged = () => fileOf(JSON.stringify({ ...JSON.parse(textOf()), intercept: 0 }), "model.json");
  const tips = () => modelOf({ name: "tips" });
  const few = () => fileOf(madeUp(49, 2));

  test.each<[string, Partial<Record<"candidate" | "stable" | "csv", () => string>>, RegExp]>([
    ["a missing model in service", { stable: () => "gone.json" }, /^gone\.json does not exist\.$/],
    ["a missing file of trips", { csv: () => "gone.csv" }, /^gone\.csv does not exist\.$/],
    ["a folder", { candidate: folder }, / is a directory\.$/],
    ["a newer schema", { stable: newer }, /schema_version is 2: this version reads only 1\.$/],
    ["a file cut off", { candidate: cut }, /it is not JSON, perhaps cut off/],
    [
      "a model that was changed by hand",
      { candidate: forged },
      /cannot be used: the digest is .* it was changed\.$/,
    ],
    [
      "another model",
      { candidate: tips },
      /called "tips" and "taxi-fare": expected two versions of one model\.$/,
    ],
    ["too few rows", { csv: few }, /49 usable rows: at least 50 are needed to compare\.$/],
  ])("%s", async (_, { candidate = modelOf, stable = modelOf, csv = () => fileOf(apart) }, sentence) => {
    const options = { candidate: candidate(), stable: stable(), csv: csv() };
    await expect(gate(options)).rejects.toThrow(
      expect.objectContaining({ name: "InputProblem", message: expect.stringMatching(sentence) }),
    );
  });
});
