import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileOf, folder } from "./trips-csv.ts";

const real = process.env.SLUICE_REAL_DATA;
if (!real) console.log("gate.int.test.ts: skipped, because SLUICE_REAL_DATA names no file of real trips.");

const node = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "..", "src", "cli", `${name}.ts`), ...args], {
    encoding: "utf8",
  });

/** Trains on real trips, and gives the path of the model. */
function trained(csv: string, recipe: string, version: string): string {
  const out = folder();
  const args = ["--csv", csv, "--recipe", recipe, "--version", version, "--out", out];
  expect(node("train", ...args)).toMatchObject({ status: 0, stderr: "" });
  return join(out, "model.json");
}

function gate(candidate: string, stable: string) {
  const { status, stdout } = node("gate", "--candidate", candidate, "--stable", stable, "--csv", real!);
  return { status, ...JSON.parse(stdout) };
}

test.runIf(real)("on real trips, the better recipe ships over the other, and not the other way round", () => {
  const [baseline, full] = [trained(real!, "baseline", "1.0.0"), trained(real!, "full", "1.0.1")];
  const better = gate(full, baseline);
  expect(better).toMatchObject({ status: 0, ships: true, rows: { held_out: "test split", notes: [] } });
  expect(better.rows.used).toBe(JSON.parse(readFileSync(full, "utf8")).training_data.rows_test);
  expect(better.rmse_change_95[1]).toBeLessThan(0);
  const worse = gate(baseline, full);
  expect(worse).toMatchObject({ status: 1, ships: false });
  expect(worse.rmse_change_95[0]).toBeGreaterThan(0.02);
});

test.runIf(real)(
  "a model trained on a tenth of the real trips is less than 2 % worse, on 120 rows it is more",
  () => {
    const [header, ...lines] = readFileSync(real!, "utf8").trimEnd().split("\n");
    const some = (keep: (row: number) => boolean) =>
      fileOf([header, ...lines.filter((_, i) => keep(i)), ""].join("\n"));
    const stable = trained(real!, "baseline", "1.0.0");
    const tenth = gate(
      trained(
        some((i) => i % 10 === 0),
        "baseline",
        "1.0.1",
      ),
      stable,
    );
    expect(tenth).toMatchObject({ status: 0, ships: true });
    expect(tenth.rows.notes).toEqual([
      expect.stringMatching(/^the candidate model was trained on another file/),
    ]);
    expect(
      gate(
        trained(
          some((i) => i < 120),
          "baseline",
          "1.0.1",
        ),
        stable,
      ),
    ).toMatchObject({ status: 1, ships: false });
  },
);
