import { list, option, section } from "./option.ts";
import { pathPattern } from "./parts.ts";
import { duration, number, text, whole, word } from "./values.ts";

/** Gates that this configuration is about. */
export const GATES = ["identity", "golden", "schema", "warm_up"] as const;

const file = (what: string) => option(text("the path of a file").optional(), { about: what });

/** What must be so before a candidate gets its first request. */
export const gates = section({
  usual: option(list(word(GATES), `gates: ${GATES.join(", ")}`), {
    default: [...GATES],
    about: `Gates of a rollout that names no \`checks\`: ${GATES.join(", ")}.`,
  }),
  model: option(pathPattern(), {
    default: "/model",
    about: "Where a target says its version, its digest and its golden rows; one that says nothing has none.",
  }),
  predict: option(pathPattern(), {
    default: "/api/predict/",
    about: "Where golden rows are posted, or `gates.request`.",
  }),
  request: file("JSON file with the request for `schema` and `warm_up`; absent: golden rows."),
  schema: file("JSON Schema that answers must fulfill; absent: the shape of the stable color's answers."),
  tolerance: option(
    number("a relative difference of at least 0 and below 1", (value) => value >= 0 && value < 1),
    {
      default: 1e-9,
      about: "How far a golden row's prediction may be off, relative to it; rounding to the cent is allowed.",
    },
  ),
  requests: option(whole(1, 100_000), {
    default: 50,
    unit: "requests",
    about: "Predictions that `warm_up` asks each target for.",
  }),
  p95: option(duration().optional(), {
    unit: "duration",
    about:
      "Below which the 95th percentile of the last 20 of them has to come; absent: nothing is asked of it.",
  }),
  timeout: option(duration(), { default: "60s", unit: "duration", about: "Time that each gate may take." }),
});
