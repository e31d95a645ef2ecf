import { build, dashboard } from "./dashboard.ts";
import { flags, health, lines, stat, whereabouts } from "./panel.ts";

const BY_COLOR = '{color=~"$color|none"}';
const quantile = (q: number, of = "sluice_request_duration_seconds") =>
  `histogram_quantile(${q}, sum by (color, le) (rate(${of}_bucket{color=~"$color"}[$__rate_interval])))`;
const prediction = (q: number) => quantile(q, "sluice_prediction_value");

const builder = dashboard({
  uid: "sluice-release",
  title: "Sluice: Release",
  description: "Both colors side by side: is the new version as good as the old one?",
  variable: { label: "color", of: "sluice_traffic_weight_ratio" },
});

builder
  .withPanel(
    stat({
      title: "Weight",
      description: "Each color's share of new requests.",
      unit: "percentunit",
      queries: [['max by (color) (sluice_traffic_weight_ratio{color=~"$color"})', "{{color}}"]],
    }),
  )
  .withPanel(
    stat({
      title: "Version",
      description: "The model that each color serves, as its processes report it.",
      unit: "none",
      queries: [['max by (color, version) (model_api_model_info{color=~"$color"})', "{{color}} {{version}}"]],
    }),
  )
  .withPanel(
    stat({
      title: "Error budget burn, 1 h",
      description:
        "How many times faster than the objective allows errors are made; above 14.4 somebody is woken.",
      unit: "short",
      queries: [
        ["max(job:sluice_request_errors:ratio_rate1h) / (1 - scalar(sluice:slo:objective))", "burn rate"],
      ],
      thresholds: [
        [0, "semi-dark-green"],
        [1, "orange"],
        [14.4, "red"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Requests",
      description: "Answers to clients a second, by the color that answered; none: no color did.",
      unit: "reqps",
      queries: [[`sum by (color) (rate(sluice_requests_total${BY_COLOR}[$__rate_interval]))`, "{{color}}"]],
    }),
  )
  .withPanel(
    lines({
      title: "Errors",
      description: "Share of 5xx among a color's answers.",
      unit: "percentunit",
      thresholds: [
        [0, "transparent"],
        [0.05, "red"],
      ],
      queries: [
        [
          'sum by (color) (rate(sluice_requests_total{color=~"$color",code=~"5.."}[$__rate_interval])) / (sum by (color) (rate(sluice_requests_total{color=~"$color"}[$__rate_interval])) > 0)',
          "{{color}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Duration",
      description:
        "From a request's head to the end of its answer: 50, 95 and 99 of 100 are faster. Points are traced requests.",
      unit: "s",
      exemplars: true,
      thresholds: [
        [0, "transparent"],
        [0.5, "red"],
      ],
      queries: [
        [quantile(0.5), "{{color}} p50"],
        [quantile(0.95), "{{color}} p95"],
        [quantile(0.99), "{{color}} p99"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Weights",
      description: "Each color's share of new requests.",
      unit: "percentunit",
      max: 1,
      steps: true,
      queries: [['max by (color) (sluice_traffic_weight_ratio{color=~"$color"})', "{{color}}"]],
    }),
  )
  .withPanel(
    whereabouts({
      title: "Rollout",
      description: "The phase of the newest rollout.",
      unit: "none",
      queries: [["max by (phase) (sluice_rollout_phase) > 0", "{{phase}}"]],
    }),
  )
  .withPanel(
    lines({
      title: "Evidence against the candidate",
      description:
        "By guard, in powers of ten: 2 is 100. Where a line reaches its threshold, the candidate is rolled back.",
      unit: "short",
      min: -1,
      queries: [
        ['max by (guard) (sluice_rollout_evidence_log10{role!="promotion"})', "{{guard}}"],
        ['min by (role) (sluice_rollout_evidence_threshold_log10{role!="promotion"})', "threshold, {{role}}"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Evidence for promotion",
      description:
        "By guard, in powers of ten: 1.3 is 20. Every line must reach the threshold before the candidate gets everything.",
      unit: "short",
      min: -1,
      queries: [
        ['min by (guard) (sluice_rollout_evidence_log10{role="promotion"})', "{{guard}}"],
        ['max by (role) (sluice_rollout_evidence_threshold_log10{role="promotion"})', "threshold"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Decisions",
      description: "What rollouts have decided since the router started, by the guard or cause.",
      unit: "short",
      steps: true,
      queries: [
        ["sum by (decision, reason) (sluice_rollout_decisions_total) > 0", "{{decision}} ({{reason}})"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Predictions",
      description: "Where predictions lie: a quarter, a half and three quarters of them are smaller.",
      unit: "short",
      queries: [
        [prediction(0.25), "{{color}} lower quartile"],
        [prediction(0.5), "{{color}} median"],
        [prediction(0.75), "{{color}} upper quartile"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Bad answers",
      description: "Answers a second that say 200 and have no good prediction, by what is wrong.",
      unit: "reqps",
      queries: [
        [
          'sum by (color, reason) (rate(sluice_bad_answers_total{color=~"$color"}[$__rate_interval]))',
          "{{color}} {{reason}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Shadow",
      description:
        "Share of pairs whose predictions agree, and 1 where fewer than 1 % are shown to disagree, at 95 %.",
      unit: "percentunit",
      max: 1,
      queries: [
        ["min(sluice_shadow_agreement_ratio)", "agree"],
        ["min(sluice_shadow_certified)", "certified"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Errors of predictions",
      description:
        "By delayed truth, of what each color runs now: mean absolute error, and root of the mean squared error.",
      unit: "short",
      queries: [
        ['max by (color) (sluice_feedback_mae{color=~"$color"})', "{{color}} MAE"],
        ['max by (color) (sluice_feedback_rmse{color=~"$color"})', "{{color}} RMSE"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Epoch",
      description:
        "The routing table's number: every change, health included, raises it. Workers follow at once.",
      unit: "none",
      steps: true,
      queries: [
        ["max by (instance) (sluice_snapshot_epoch)", "{{instance}}"],
        ["min by (instance) (sluice_worker_snapshot_epoch)", "{{instance}}, the last worker"],
      ],
    }),
  )
  .withPanel(
    health({
      title: "Health",
      description: "Whether each target takes new requests.",
      unit: "none",
      queries: [['min by (color, target) (sluice_target_up{color=~"$color"})', "{{color}} {{target}}"]],
    }),
  )
  .withPanel(
    flags({
      title: "Pause and maintenance",
      description: "Whether new requests are held until they are resumed, or turned away.",
      unit: "none",
      queries: [
        ["max(sluice_paused)", "paused"],
        ["max(sluice_maintenance)", "in maintenance"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Held requests",
      description:
        "Requests that wait for the end of a pause, and what became of those that came during one.",
      unit: "short",
      queries: [
        ["sum(sluice_requests_held)", "waiting"],
        ["sum by (result) (increase(sluice_gated_requests_total[$__rate_interval]))", "{{result}}"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Failovers",
      description: "Requests that another color took over.",
      unit: "reqps",
      queries: [
        ["sum by (from, to) (rate(sluice_failovers_total[$__rate_interval]))", "from {{from}} to {{to}}"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Retries and hedges",
      description: "Attempts that were sent again, and second attempts because the first was slow.",
      unit: "reqps",
      queries: [
        [
          'sum by (color) (rate(sluice_retries_total{color=~"$color"}[$__rate_interval]))',
          "{{color}} retries",
        ],
        ['sum by (color) (rate(sluice_hedges_total{color=~"$color"}[$__rate_interval]))', "{{color}} hedges"],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "In flight",
      description: "Requests that have not ended. A color that drains goes to 0.",
      unit: "short",
      queries: [['sum by (color) (sluice_requests_in_flight{color=~"$color"})', "{{color}}"]],
    }),
  )
  .withPanel(
    lines({
      title: "Endings that blame a target",
      description: "Attempts by how they failed: refused, reset, timed out, not HTTP.",
      unit: "reqps",
      queries: [
        [
          'sum by (color, reason) (rate(sluice_upstream_errors_total{color=~"$color"}[$__rate_interval]))',
          "{{color}} {{reason}}",
        ],
      ],
    }),
  )
  .withPanel(
    lines({
      title: "Answers by code",
      description: "What clients were answered, but for 2xx; 499 did not wait.",
      unit: "reqps",
      queries: [
        [
          `sum by (color, code) (rate(sluice_requests_total{color=~"$color|none",code!~"2.."}[$__rate_interval]))`,
          "{{color}} {{code}}",
        ],
      ],
    }),
  );

export const release = build(builder);
