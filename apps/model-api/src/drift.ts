import {
  DRIFT_VALUES,
  type DriftValue,
  driftValue,
  type Prediction,
  type Trip,
  tenthOf,
} from "@sluice/model";
import { Counter, type Registry } from "prom-client";
import type { Service } from "./service.ts";

type Count = (trip: Trip, prediction: Prediction) => void;

interface Watched {
  readonly name: DriftValue;
  readonly deciles: readonly number[];
  readonly rows: Float64Array;
}

/**
 * Counts rows by the tenth of the training data that each of their values falls into: without drift a tenth of the
 * rows each. A model whose artifact has no deciles has no such series.
 * @returns what counts one row
 */
export function countTenths({ model }: Service, registry: Registry): Count {
  const all = model?.artifact.training_deciles ?? {};
  const watched = DRIFT_VALUES.flatMap((name): Watched[] => {
    const deciles = all[name];
    return deciles ? [{ name, deciles, rows: new Float64Array(deciles.length + 1) }] : [];
  });
  new Counter({
    name: "model_api_training_tenth_rows_total",
    help: "Rows by the tenth of the training data that a value falls into.",
    labelNames: ["value", "tenth"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, rows } of watched)
        rows.forEach((count, i) => {
          this.inc({ value: name, tenth: String(i + 1) }, count);
        });
    },
  });
  return (trip, { fare_amount }) => {
    for (const { name, deciles, rows } of watched)
      rows[tenthOf(deciles, driftValue(name, trip, fare_amount))]! += 1;
  };
}
