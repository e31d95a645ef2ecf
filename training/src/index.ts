export { type Evaluation, evaluate } from "./evaluate.ts";
export { type GateOptions, gate, type Judged, TOLERANCE, type Verdict } from "./gate.ts";
export { InputProblem } from "./problem.ts";
export { type Reporter, reporterFor, silent } from "./progress.ts";
export { type Trained, type TrainOptions, train } from "./train.ts";
export { trainBoth } from "./train-both.ts";
