import type { Artifact } from "@sluice/model";
import type { TripFile } from "./data/read-trips.ts";
import { oddnessOf, splitRows } from "./data/split.ts";
import { InputProblem } from "./problem.ts";

/** On fewer rows than this the RMSE is mostly luck. */
const LEAST_ROWS = 50;

export interface RowChoice {
  /** Numbers of clean rows, ascending. */
  readonly rows: Uint32Array;
  readonly description: {
    readonly used: number;
    /** `test split`: rows that the models trained on this file were not fitted to; `all`: no model was trained on it, that is known. */
    readonly held_out: "test split" | "all";
    /** What the artifacts cannot tell. */
    readonly notes: readonly string[];
  };
}

/**
 * The rows that no model was fitted to, as far as the artifacts can tell: each model that was trained on this very file
 * (by its digest) leaves only the test split of its seed.
 *
 * A stable model that was trained on another file may have seen some of the rows. Then it looks better than it is, and the
 * gate is stricter than it had to be. Of a candidate the same would flatter the candidate; both are said in `notes`.
 * @throws InputProblem if fewer than 50 rows are left, or if the candidate's split cannot be drawn again.
 */
export function chooseRows(csv: string, file: TripFile, candidate: Artifact, stable?: Artifact): RowChoice {
  const notes: string[] = [];
  const tests: Set<number>[] = [];
  for (const [role, artifact] of [["candidate", candidate] as const, ["stable", stable] as const]) {
    if (!artifact) continue;
    const test = testRows(file, artifact);
    if (test) tests.push(test);
    else if (artifact.training_data.digest !== file.digest) notes.push(unknownRows(role, "another file"));
    else if (role === "stable")
      notes.push(unknownRows(role, "this file, but with another split or cleaning"));
    else
      throw new InputProblem(
        `${csv} is split or cleaned in another way than for the candidate: train it again.`,
      );
  }
  const all = Uint32Array.from({ length: file.trips.length }, (_, row) => row);
  const rows = all.filter((row) => tests.every((test) => test.has(row)));
  if (rows.length < LEAST_ROWS) {
    const of = tests.length > 0 ? "rows that no model was fitted to" : "usable rows";
    throw new InputProblem(`${csv} has ${rows.length} ${of}: at least ${LEAST_ROWS} are needed to compare.`);
  }
  return {
    rows,
    description: { used: rows.length, held_out: tests.length > 0 ? "test split" : "all", notes },
  };
}

const unknownRows = (role: string, source: string) =>
  `the ${role} model was trained on ${source}, and may have seen some of these rows`;

/** The test split of a model that was trained on this file; nothing if it was not, or if the split cannot be drawn again. */
function testRows({ digest, trips }: TripFile, { training_data: data }: Artifact): Set<number> | undefined {
  if (data.digest !== digest || data.rows_used !== trips.length) return undefined;
  const { test } = splitRows(oddnessOf(trips), data.seed);
  return test.length === data.rows_test ? new Set(test) : undefined;
}
