import type { Model } from "@sluice/model";
import { checkRows } from "../check.ts";
import type { Metrics } from "../metrics.ts";
import { predictTrips } from "../predictions.ts";
import type { Service } from "../service.ts";
import { quote, Refused } from "./refused.ts";
import {
  describeRows,
  INPUTS,
  type InputTensor,
  OUTPUTS,
  type OutputTensor,
  rowsOf,
  selectOutputs,
} from "./tensors.ts";

export const SERVER = { name: "sluice-model-api", version: "0.1.0", extensions: [] as string[] };

/** A model by its name and, unless empty or absent, its version. */
export interface ModelName {
  readonly name: string;
  readonly version?: string | undefined;
}

export interface Inference {
  readonly inputs: readonly InputTensor[];
  /** Names; none: all. */
  readonly outputs: readonly string[];
}

/** Finds the model that a path or message names. @throws Refused when it is not here, or none is loaded */
export function findModel({ model }: Service, { name, version }: ModelName): Model {
  if (!model) throw new Refused("not_ready", "No model is loaded.");
  const { artifact } = model;
  if (name !== artifact.name)
    throw new Refused("unknown", `Model ${quote(name)} is unknown: this server has "${artifact.name}".`);
  if (version && version !== artifact.version)
    throw new Refused(
      "unknown",
      `Version ${quote(version)} of model "${name}" is not here: this server has ${artifact.version}.`,
    );
  return model;
}

/** May this model get traffic? @throws Refused when it is unknown */
export function isModelReady(service: Service, name: ModelName): boolean {
  if (service.model) findModel(service, name);
  return service.notReady() === undefined;
}

/** What the model takes and gives. @throws Refused */
export function describeModel(service: Service, model: ModelName) {
  const { name, version } = findModel(service, model).artifact;
  return {
    name,
    versions: [version],
    platform: "sluice_linear_regression",
    inputs: [...INPUTS],
    outputs: [...OUTPUTS],
  };
}

/** Checks and predicts, as `/api/predict/` does, and gives the outputs asked for. @throws Refused */
export function infer(model: Model, metrics: Metrics, { inputs, outputs }: Inference): OutputTensor[] {
  const selected = selectOutputs(outputs);
  const checked = checkRows(rowsOf(inputs));
  if (!("trips" in checked)) {
    const { detail, errors = [], errors_omitted = 0 } = checked;
    throw new Refused("invalid", describeRows(detail, errors, errors_omitted));
  }
  const predictions = predictTrips(model, metrics, checked.trips);
  const shape = [predictions.length];
  return selected.map((name) =>
    name === "fare_amount"
      ? { name, datatype: "FP64", shape, data: predictions.map(({ fare_amount }) => fare_amount) }
      : { name, datatype: "BOOL", shape, data: predictions.map(({ extrapolated }) => extrapolated === true) },
  );
}
