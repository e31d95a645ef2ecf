import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  type DataSourceRef,
  GraphDrawStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The data source of deploy/grafana/provisioning. */
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: "sluice-prometheus" };

/** Grid units: a dashboard is 24 wide. */
const HEIGHT = 8;

export interface PanelSpec {
  readonly title: string;
  readonly description: string;
  /** Grafana's name of a unit, such as `s`, `bytes`, `percentunit` or `reqps`. */
  readonly unit: string;
  /** Expression and legend of each query. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  /** Of 24. @default 8 */
  readonly width?: number;
  /** @default 0 */
  readonly min?: number;
  readonly max?: number;
  /** Values from which a line is drawn, and its color; the first is the base. */
  readonly thresholds?: readonly (readonly [from: number, color: string])[];
  /** Values that hold until the next, such as weights. */
  readonly steps?: boolean;
  /** Points for single requests, with their traces. */
  readonly exemplars?: boolean;
}

/** Whatever else a legend says: blue is blue, green is green, and what no color answered is red. */
const COLORS = { blue: "blue", green: "green", none: "red" };

const fixedColor = (color: string): DynamicConfigValue => ({
  id: "color",
  value: { mode: FieldColorModeId.Fixed, fixedColor: color },
});

const lineStyle = (fill: "dash" | "dot", dash: number[]): DynamicConfigValue => ({
  id: "custom.lineStyle",
  value: { fill, dash },
});

/** Colors overlaid in one panel, over time. */
export function lines(spec: PanelSpec): Builder<Panel> {
  const panel = new TimeSeriesBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(PROMETHEUS)
    .height(HEIGHT)
    .span(spec.width ?? 8)
    .unit(spec.unit)
    .min(spec.min ?? 0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(2)
    .fillOpacity(spec.steps ? 10 : 0)
    .showPoints(VisibilityMode.Never)
    .lineInterpolation(spec.steps ? LineInterpolation.StepAfter : LineInterpolation.Linear)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .thresholds(thresholds(spec.thresholds ?? [[0, "transparent"]]))
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(
        spec.thresholds ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
      ),
    );
  if (spec.max !== undefined) panel.max(spec.max);
  for (const [name, color] of Object.entries(COLORS))
    panel.overrideByRegexp(`/\\b${name}\\b/`, [fixedColor(color)]);
  panel.overrideByRegexp("/\\b(p50|mean)\\b/", [lineStyle("dot", [2, 6])]);
  panel.overrideByRegexp("/\\b(p95|p90)\\b/", [lineStyle("dash", [10, 6])]);
  for (const query of queries(spec)) panel.withTarget(query);
  return panel;
}

/** The present value of each series, large. */
export function stat(spec: PanelSpec): Builder<Panel> {
  const panel = new StatBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(PROMETHEUS)
    .height(4)
    .span(spec.width ?? 8)
    .unit(spec.unit)
    .textMode(spec.unit === "none" ? common.BigValueTextMode.Name : common.BigValueTextMode.ValueAndName)
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(thresholds(spec.thresholds ?? [[0, "text"]]));
  for (const [name, color] of Object.entries(COLORS))
    panel.overrideByRegexp(`/\\b${name}\\b/`, [fixedColor(color)]);
  for (const query of queries(spec)) panel.withTarget(query.instant());
  return panel;
}

/** Up or down over time, a bar for each series. */
export function health(spec: PanelSpec): Builder<Panel> {
  return timeline(spec, {
    "0": { text: "down", color: "red" },
    "1": { text: "up", color: "semi-dark-green" },
  });
}

/** Where something is over time: a bar for each place, while it is there. */
export function whereabouts(spec: PanelSpec): Builder<Panel> {
  return timeline(spec, { "1": { text: "here", color: "semi-dark-green" } });
}

/** Whether something out of the ordinary is so over time: a bar for each. */
export function flags(spec: PanelSpec): Builder<Panel> {
  return timeline(spec, {
    "0": { text: "no", color: "semi-dark-green" },
    "1": { text: "yes", color: "orange" },
  });
}

function timeline(spec: PanelSpec, options: ValueMap["options"]): Builder<Panel> {
  const states: ValueMapping = { type: MappingType.ValueToText, options };
  const panel = new StateTimelineBuilder()
    .title(spec.title)
    .description(spec.description)
    .datasource(PROMETHEUS)
    .height(HEIGHT)
    .span(spec.width ?? 8)
    .unit(spec.unit)
    .mappings([states])
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(
      thresholds([
        [0, "red"],
        [1, "semi-dark-green"],
      ]),
    );
  for (const query of queries(spec)) panel.withTarget(query);
  return panel;
}

function queries({ queries, exemplars }: PanelSpec): DataqueryBuilder[] {
  return queries.map(([expr, legend], i) => {
    const query = new DataqueryBuilder()
      .datasource(PROMETHEUS)
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + i))
      .range();
    return exemplars ? query.exemplar(true) : query;
  });
}

function thresholds(from: readonly (readonly [number, string])[]): ThresholdsConfigBuilder {
  const steps = from.map(([value, color], i): Threshold => ({ value: i === 0 ? null : value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
