import { readFile } from "node:fs/promises";
import { ArtifactError, loadModel, type Model } from "@sluice/model";
import { totalDropped } from "./data/clean.ts";
import { readTrips } from "./data/read-trips.ts";
import { measure } from "./fit/metrics.ts";
import { InputProblem } from "./problem.ts";

/** What `evaluate` prints. Errors in US dollars. */
export interface Evaluation {
  readonly rmse: number;
  readonly mae: number;
  readonly r2: number;
  readonly rows_used: number;
  readonly rows_dropped: number;
}

/**
 * Measures a model on a CSV file, after the usual cleaning of the rows.
 * @throws InputProblem for a missing or damaged model, and for what `readTrips` refuses.
 */
export async function evaluate(modelPath: string, csv: string): Promise<Evaluation> {
  const model = await openModel(modelPath);
  const { trips, dropped } = await readTrips(csv);
  const rows = Array.from({ length: trips.length }, (_, row) => row);
  const fares = Float64Array.from(rows, (row) => trips.fare(row));
  const predictions = Float64Array.from(rows, (row) => model.fareOf(trips.inputs(row)));
  const { rmse, mae, r2, n } = measure(fares, predictions);
  return { rmse, mae, r2, rows_used: n, rows_dropped: totalDropped(dropped) };
}

/**
 * Reads and proves a `model.json`.
 * @throws InputProblem with one sentence that names the file, if it is missing, damaged or of an unknown schema.
 */
export async function openModel(path: string): Promise<Model> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const sentences: Record<string, string> = { ENOENT: "does not exist", EISDIR: "is a directory" };
    throw new InputProblem(`${path} ${sentences[error.code ?? ""] ?? `cannot be read: ${error.message}`}.`);
  });
  try {
    return loadModel(text);
  } catch (error) {
    if (error instanceof ArtifactError) throw new InputProblem(`${path} cannot be used: ${error.message}`);
    throw error;
  }
}
