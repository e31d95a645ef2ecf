import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputProblem } from "./problem.ts";
import { type Reporter, silent } from "./progress.ts";
import { type Trained, train } from "./train.ts";

/** The two models that a fresh checkout serves. */
export const releases = [
  { recipe: "baseline", version: "1.0.0" },
  { recipe: "full", version: "1.0.1" },
] as const;

/**
 * Trains recipe `baseline` into ROOT/artifacts/1.0.0 and `full` into ROOT/artifacts/1.0.1, from ROOT/data/uber.csv if it
 * is there, else from ROOT/data/sample.csv.
 * @throws InputProblem as `train` does, and when there is no data.
 */
export async function trainBoth(root: string, reporter: Reporter = silent): Promise<Trained[]> {
  const csv = [join(root, "data", "uber.csv"), join(root, "data", "sample.csv")].find((path) =>
    existsSync(path),
  );
  if (!csv) throw new InputProblem(`${join(root, "data")} holds neither uber.csv nor sample.csv.`);
  const trained: Trained[] = [];
  for (const { recipe, version } of releases) {
    reporter.line(`training ${version} (recipe ${recipe}) from ${csv}`);
    trained.push(await train({ csv, recipe, version, out: join(root, "artifacts", version), reporter }));
  }
  return trained;
}
