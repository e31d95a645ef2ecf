import {
  type Artifact,
  type ArtifactBody,
  buildArtifact,
  createPredictor,
  findRecipe,
  GOLDEN_ROWS,
  type Predictor,
  type Recipe,
} from "@sluice/model/fitting";
import { type Dropped, totalDropped } from "./data/clean.ts";
import { readTrips, type TripFile } from "./data/read-trips.ts";
import { oddnessOf, type Split, splitRows } from "./data/split.ts";
import { boundsOf, spread, trainingDeciles, tripOf, typicalTime } from "./describe-data.ts";
import { type Fit, fitLinear } from "./fit/fit.ts";
import { type Metrics, measure, rmseInterval } from "./fit/metrics.ts";
import { addUp } from "./fit/moments.ts";
import { tariffFare } from "./fit/tariff.ts";
import { checkFolder, writeTogether } from "./output/write-together.ts";
import { InputProblem } from "./problem.ts";
import { type Reporter, silent } from "./progress.ts";
import { renderReport } from "./report/report.ts";

export interface TrainOptions {
  /** Path of the CSV file. */
  readonly csv: string;
  /** `baseline` or `full`. */
  readonly recipe: string;
  /** Semantic version that the model gets. */
  readonly version: string;
  /** Folder for model.json, metrics.json and report.html; made if it is not there. */
  readonly out: string;
  /** Deals the rows into train and test: 0 to 4294967295. @default 1 */
  readonly seed?: number;
  /** Stamps `created`, which is not part of the digest. @default the present */
  readonly now?: Date;
  /** @default silent */
  readonly reporter?: Reporter;
}

/** The test split as the report and the metrics need it; the arrays run alongside. */
export interface TestResult {
  readonly rows: Uint32Array;
  readonly fares: Float64Array;
  readonly predictions: Float64Array;
  readonly model: Metrics;
  /** What the same trips cost by the mean fare of the training split, and by the tariff formula. */
  readonly baselines: { readonly mean_fare: Metrics; readonly tariff_formula: Metrics };
}

export interface Trained {
  readonly artifact: Artifact;
  readonly file: TripFile;
  readonly fit: Fit;
  readonly test: TestResult;
}

/** Fewer clean rows than this train nothing that is worth its name. */
const LEAST_ROWS = 100;

/**
 * Reads, cleans, splits, fits, evaluates and writes model.json, metrics.json and report.html, all three or none.
 * The same file, recipe, version and seed give the same digest.
 * @throws InputProblem with one sentence, for anything that the user can mend; nothing is written then.
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const recipe = checkOptions(options);
  const { reporter = silent, seed = 1 } = options;
  await checkFolder(options.out);
  const file = await readTrips(options.csv, reporter.progress);
  reporter.line(describeRows(file.rowsRead, file.dropped));
  if (file.trips.length < LEAST_ROWS) {
    throw new InputProblem(
      `${options.csv} has ${file.trips.length} usable rows: at least ${LEAST_ROWS} are needed.`,
    );
  }
  const split = splitRows(oddnessOf(file.trips), seed);
  reporter.line(`${split.train.length} rows to fit, ${split.test.length} to test (seed ${seed})`);
  const fitted = fitLinear(recipe.features, addUp(recipe, file.trips, split.train));
  for (const sentence of fitted.leftOut) reporter.line(sentence);
  const trained = assemble(options, file, split, fitted, seed);
  reporter.line(describeMetrics(recipe, trained.test));
  writeTogether(options.out, {
    "report.html": renderReport(trained),
    "metrics.json": `${JSON.stringify(metricsDocument(trained), null, 2)}\n`,
    "model.json": `${JSON.stringify(trained.artifact, null, 2)}\n`,
  });
  reporter.line(
    `wrote model.json, metrics.json and report.html to ${options.out} (${trained.artifact.digest})`,
  );
  return trained;
}

function checkOptions({ recipe, version, seed = 1 }: TrainOptions): Recipe {
  const found = findRecipe(recipe);
  if (!found) throw new InputProblem(`recipe "${recipe}" is unknown: expected baseline or full.`);
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(version)) {
    throw new InputProblem(`version "${version}" is no semantic version: expected one like 1.0.0.`);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
    throw new InputProblem(`seed ${seed} is out of range: expected a whole number from 0 to 4294967295.`);
  }
  return found;
}

function assemble(options: TrainOptions, file: TripFile, split: Split, fitted: Fit, seed: number): Trained {
  const unbounded = describeModel(options, file, split, fitted, seed);
  const untested = { ...unbounded, ...describeFares(file, split.train, createPredictor(unbounded)) };
  const test = evaluateOn(file, split, createPredictor(untested), fitted.intercept);
  const body: ArtifactBody = { ...untested, metrics: test.model };
  const golden = spread(test.rows, test.predictions, GOLDEN_ROWS).map((row) => tripOf(file.trips, row));
  return { artifact: buildArtifact(body, golden), file, fit: fitted, test };
}

/**
 * What the model says of the trips that it was fitted to: the dearest fare in dollars, and what parts their values in
 * tenths. Of every fourth trip, to save half a second in large files.
 */
function describeFares({ trips }: TripFile, train: Uint32Array, predictor: Predictor) {
  const rows = train.filter((_, i) => i % 4 === 0);
  const fares = Float64Array.from(rows, (row) => predictor.fareOf(trips.inputs(row)));
  const fare_ceiling = fares.reduce((most, fare) => Math.max(most, fare), 0);
  return { fare_ceiling, training_deciles: trainingDeciles(trips, rows, fares) };
}

/** The artifact's body before ceiling and test: the ceiling is still the largest fare that cleaning lets pass. */
function describeModel(
  options: TrainOptions,
  { trips, rowsRead, dropped, digest }: TripFile,
  split: Split,
  fitted: Fit,
  seed: number,
): ArtifactBody {
  return {
    schema_version: 1,
    name: "taxi-fare",
    version: options.version,
    created: (options.now ?? new Date()).toISOString(),
    recipe: options.recipe,
    training_data: {
      digest,
      seed,
      rows_read: rowsRead,
      rows_used: trips.length,
      rows_train: split.train.length,
      rows_test: split.test.length,
      rows_dropped: dropped,
    },
    features: fitted.features.map((feature) => feature.name),
    scaling: { mean: [...fitted.mean], sd: [...fitted.sd] },
    coefficients: [...fitted.coefficients],
    intercept: fitted.intercept,
    typical_pickup_datetime: typicalTime(trips, split.train),
    input_bounds: boundsOf(trips, split.train),
    fare_ceiling: 200,
    metrics: { rmse: 0, mae: 0, r2: 0, n: 0 },
  };
}

function evaluateOn({ trips }: TripFile, split: Split, predictor: Predictor, meanFare: number): TestResult {
  const rows = split.test;
  const over = (value: (row: number) => number) => Float64Array.from(rows, value);
  const fares = over((row) => trips.fare(row));
  const predictions = over((row) => predictor.fareOf(trips.inputs(row)));
  const tariff = over((row) => tariffFare(trips.inputs(row)));
  return {
    rows,
    fares,
    predictions,
    model: measure(fares, predictions),
    baselines: {
      mean_fare: measure(
        fares,
        fares.map(() => meanFare),
      ),
      tariff_formula: measure(fares, tariff),
    },
  };
}

function metricsDocument({ artifact, test, fit: fitted }: Trained) {
  return {
    model: {
      name: artifact.name,
      version: artifact.version,
      recipe: artifact.recipe,
      digest: artifact.digest,
    },
    test: { ...test.model, rmse_95: rmseInterval(test.fares, test.predictions) },
    baselines: test.baselines,
    training_data: artifact.training_data,
    left_out: fitted.leftOut,
  };
}

function describeRows(read: number, dropped: Dropped): string {
  const fell = Object.entries(dropped).filter(([, count]) => count > 0);
  const list = fell.map(([rule, count]) => `${rule} ${count}`).join(", ");
  return `${read} rows read, ${totalDropped(dropped)} dropped${list && `: ${list}`}`;
}

function describeMetrics(recipe: Recipe, { model, baselines }: TestResult): string {
  const rmse = (metrics: Metrics) => metrics.rmse.toFixed(3);
  const beside = `mean fare ${rmse(baselines.mean_fare)}, tariff formula ${rmse(baselines.tariff_formula)}`;
  return `recipe ${recipe.name}: RMSE ${rmse(model)}, MAE ${model.mae.toFixed(3)}, R² ${model.r2.toFixed(3)} (RMSE of ${beside})`;
}
