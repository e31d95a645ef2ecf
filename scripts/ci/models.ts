import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PipelineProblem } from "./github.ts";

/** What the pipelines read of a trained version; the rest of metrics.json and model.json is nothing to them. */
export interface Trained {
  readonly version: string;
  /** `sha256:<hex>` of the artifact. */
  readonly digest: string;
  readonly recipe: string;
  /** Path of model.json. */
  readonly path: string;
  readonly rmse: number;
  readonly mae: number;
  readonly r2: number;
  readonly rows: {
    readonly read: number;
    readonly used: number;
    readonly train: number;
    readonly test: number;
  };
}

/** The trained versions under a folder, the oldest version first. @throws PipelineProblem for none, or a damaged one. */
export function trainedModels(folder: string): Trained[] {
  const versions = existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.json")))
    : [];
  if (versions.length === 0) {
    throw new PipelineProblem(`${folder} holds no VERSION/model.json: run "npm run ci:train" first.`);
  }
  return versions
    .map((name) => readModel(join(folder, name)))
    .sort((a, b) => byVersion(a.version, b.version));
}

/** What ships: the highest version. */
export const candidateOf = (folder: string): Trained => trainedModels(folder).at(-1)!;

function readModel(folder: string): Trained {
  const path = join(folder, "model.json");
  try {
    const { version, digest, recipe, metrics, training_data: data } = JSON.parse(readFileSync(path, "utf8"));
    const { rows_read: read, rows_used: used, rows_train: train, rows_test: test } = data;
    const { rmse, mae, r2 } = metrics;
    const numbers = { rmse, mae, r2, read, used, train, test };
    for (const [name, value] of Object.entries(numbers)) {
      if (typeof value !== "number") throw new Error(`${name} is ${JSON.stringify(value)}, no number`);
    }
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error("it has no digest");
    return { version, digest, recipe, path, rmse, mae, r2, rows: { read, used, train, test } };
  } catch (error) {
    throw new PipelineProblem(`${path} cannot be used: ${(error as Error).message}.`);
  }
}

/** Semantic versions as https://semver.org/#spec-item-11 orders them, as far as releases need it: 1.10.0 after 1.9.0. */
function byVersion(a: string, b: string): number {
  const [coreA, preA] = split(a);
  const [coreB, preB] = split(b);
  const numeric = coreA.localeCompare(coreB, "en", { numeric: true });
  if (numeric !== 0 || preA === preB) return numeric;
  if (preA === "" || preB === "") return preA === "" ? 1 : -1;
  return preA.localeCompare(preB, "en", { numeric: true });
}

function split(version: string): [core: string, prerelease: string] {
  const [core = "", ...rest] = version.split("+")[0]!.split("-");
  return [core, rest.join("-")];
}
