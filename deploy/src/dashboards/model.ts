import { build, dashboard } from "./dashboard.ts";
import { lines, stat } from "./panel.ts";

/** A process says its color and version in one series; this gives them to what it counts. */
const JOIN = '* on (job, instance) group_left (color, version) model_api_model_info{color=~"$color"}';
const rate = (metric: string) => `rate(${metric}[$__rate_interval])`;
const fare = (q: number) =>
  `histogram_quantile(${q}, sum by (color, version, le) (${rate("model_api_predicted_fare_dollars_bucket")} ${JOIN}))`;
const duration = (q: number) =>
  `histogram_quantile(${q}, sum by (color, le) (${rate('model_api_request_duration_seconds_bucket{route=~".*predict.*"}')} ${JOIN}))`;

const builder = dashboard({
  uid: "sluice-model",
  title: "Sluice: Model",
  description: "What the models say, and whether the traffic is what they were trained on.",
  variable: { label: "color", of: "model_api_model_info" },
});

builder
  .withPanel(
    stat({
      title: "Versions",
      description: "The model of each process.",
      unit: "none",
      width: 12,
      queries: [
        [
          'max by (color, version, digest) (model_api_model_info{color=~"$color"})',
          "{{color}} {{version}} {{digest}}",
        ],
      ],
    }),
  )
  .withPanel(
    stat({
      title: "Ready processes",
      description: "Processes that may get traffic.",
      unit: "short",
      width: 12,
      queries: [[`sum by (color) (model_api_ready ${JOIN})`, "{{color}}"]],
    }),
  )
  .withPanel(
    lines({
      title: "Predictions",
      description: "Fares predicted a second; a request can ask for many.",
      unit: "short",
      queries: [
        [`sum by (color, version) (${rate("model_api_predictions_total")} ${JOIN})`, "{{color}} {{version}}"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Predicted fares",
      description:
        "10, 50 and 90 of 100 fares are lower. Colors that get the same trips differ by their models alone.",
      unit: "currencyUSD",
      queries: [
        [fare(0.1), "{{color}} {{version}} p10"],
        [fare(0.5), "{{color}} {{version}} p50"],
        [fare(0.9), "{{color}} {{version}} p90"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Mean fare",
      description: "The mean of the predicted fares.",
      unit: "currencyUSD",
      queries: [
        [
          `sum by (color, version) (${rate("model_api_predicted_fare_dollars_sum")} ${JOIN}) / (sum by (color, version) (${rate("model_api_predicted_fare_dollars_count")} ${JOIN}) > 0)`,
          "{{color}} {{version}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Drift from the training data",
      description:
        "Population stability index of the last hour: below 0.1 is usual, above 0.2 is another kind of traffic. Chance alone gives about 9 / rows.",
      unit: "short",
      width: 12,
      thresholds: [
        [0, "transparent"],
        [0.1, "orange"],
        [0.2, "red"],
      ],
      queries: [['color:model_api_training:psi1h{color=~"$color"}', "{{color}} {{version}} {{value}}"]],
    }),
  )
  .withPanel(
    lines({
      title: "Fares by tenth of the training data",
      description:
        "Share of the last hour's predictions in each tenth of the training's: 10 % each without drift.",
      unit: "percentunit",
      width: 12,
      queries: [
        [
          'color:model_api_training_tenth:ratio_increase1h{color=~"$color",value="fare_amount"}',
          "{{color}} {{version}} tenth {{tenth}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Extrapolated",
      description: "Share of trips outside what the model was trained on; their fares are guesses.",
      unit: "percentunit",
      thresholds: [
        [0, "transparent"],
        [0.2, "red"],
      ],
      queries: [
        [
          `sum by (color, version) (${rate("model_api_extrapolated_predictions_total")} ${JOIN}) / (sum by (color, version) (${rate("model_api_predictions_total")} ${JOIN}) > 0)`,
          "{{color}} {{version}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Latency",
      description: "Time that the server takes for a prediction request, without the router.",
      unit: "s",
      queries: [
        [duration(0.5), "{{color}} p50"],
        [duration(0.95), "{{color}} p95"],
        [duration(0.99), "{{color}} p99"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Rows a request",
      description: "Mean rows of a prediction request.",
      unit: "short",
      queries: [
        [
          `sum by (color) (${rate("model_api_batch_rows_sum")} ${JOIN}) / (sum by (color) (${rate("model_api_batch_rows_count")} ${JOIN}) > 0)`,
          "{{color}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Refused requests",
      description: "Prediction requests that were refused, by reason.",
      unit: "reqps",
      width: 12,
      queries: [
        [
          `sum by (color, reason) (${rate("model_api_rejected_requests_total")} ${JOIN})`,
          "{{color}} {{reason}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "In flight",
      description: "Requests that are being answered.",
      unit: "short",
      width: 12,
      queries: [[`sum by (color) (model_api_requests_in_flight ${JOIN})`, "{{color}}"]],
    }),
  );

export const model = build(builder);
