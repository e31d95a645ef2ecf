import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PROMETHEUS } from "./panel.ts";

/** What happened, on every dashboard: [name, query that has a point where it did, its text, color]. */
const EVENTS = [
  [
    "Weights changed",
    "sum by (instance, kind) (sluice_weight_changes_total - sluice_weight_changes_total offset $__interval) > 0",
    "{{kind}}",
    "purple",
  ],
  [
    "Rollout decided",
    "sum by (decision, reason) ((sluice_rollout_decisions_total unless sluice_rollout_decisions_total offset $__interval) or (sluice_rollout_decisions_total - sluice_rollout_decisions_total offset $__interval)) > 0",
    "{{decision}} ({{reason}})",
    "green",
  ],
  [
    "Requests held up",
    'max by (state) (label_replace(sluice_paused, "state", "paused", "", "") or label_replace(sluice_maintenance, "state", "in maintenance", "", "")) > 0',
    "{{state}}",
    "yellow",
  ],
  [
    "Routing table changed",
    "max by (instance) (sluice_snapshot_epoch) != max by (instance) (sluice_snapshot_epoch offset $__interval)",
    "epoch of {{instance}}",
    "super-light-purple",
  ],
  [
    "Target up or down",
    "sum by (color, target) (sluice_target_up - sluice_target_up offset $__interval) != 0",
    "{{color}} {{target}}",
    "red",
  ],
  [
    "Version started",
    'model_api_model_info{digest!="none"} unless model_api_model_info offset $__interval',
    "{{color}} {{version}}",
    "orange",
  ],
] as const;

/** A dashboard with the events, a variable, and links to the others. */
export function dashboard(options: {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** What can be chosen: a label, and a query for its values. */
  readonly variable: { readonly label: string; readonly of: string };
}): DashboardBuilder {
  const { label, of } = options.variable;
  const builder = new DashboardBuilder(options.title)
    .uid(options.uid)
    .description(options.description)
    .tags(["sluice"])
    .editable()
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder("Sluice").type(DashboardLinkType.Dashboards).tags(["sluice"]).keepTime(true),
    )
    .withVariable(
      new QueryVariableBuilder(label)
        .datasource(PROMETHEUS)
        .query({ query: `label_values(${of}, ${label})`, refId: "variable" })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue(".*")
        .current({ text: "All", value: "$__all" }),
    );
  for (const [name, expr, text, color] of EVENTS)
    builder.annotation(
      new AnnotationQueryBuilder()
        .name(name)
        .datasource(PROMETHEUS)
        .enable(name !== "Routing table changed")
        .iconColor(color)
        .expr(expr)
        .titleFormat(name)
        .textFormat(text)
        .target(new DataqueryBuilder().datasource(PROMETHEUS).expr(expr).legendFormat(text).refId("Anno")),
    );
  return builder;
}

/** Gives every panel a number, which links and alerts refer to, and leaves the events' switches in sight. */
export function build(builder: DashboardBuilder): Dashboard {
  const built = builder.build();
  for (const event of built.annotations?.list ?? []) delete event.placement;
  built.panels?.forEach((panel, i) => {
    panel.id = i + 1;
  });
  return built;
}
