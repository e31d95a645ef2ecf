import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARDS } from "./files.ts";

export interface Query {
  readonly datasource: unknown;
  readonly expr: string;
  readonly exemplar?: boolean;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly Query[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly thresholds: { readonly steps: { value: unknown }[] };
    };
    readonly overrides: readonly {
      readonly matcher: { readonly options: unknown };
      readonly properties: readonly unknown[];
    }[];
  };
}

/** What the tests need of a dashboard's file. */
export interface DashboardFile {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly (Query & { readonly name: string })[] };
}

export function readDashboard(file: string): DashboardFile {
  return JSON.parse(readFileSync(join(DASHBOARDS, file), "utf8"));
}

/** Panels that show something; rows do not. */
export function panelsOf({ panels }: DashboardFile): readonly Panel[] {
  return panels.filter(({ type }) => type !== "row");
}

/** Every query of panels and annotations. */
export function queriesOf(dashboard: DashboardFile): readonly Query[] {
  return [...panelsOf(dashboard).flatMap(({ targets }) => targets), ...dashboard.annotations.list];
}

/**
 * An expression as Grafana sends it, for a scrape interval and a step of a second: `$__rate_interval` is four scrapes
 * at least, and a variable of which all is chosen is its `allValue`.
 */
export function interpolate(expr: string): string {
  const values: Readonly<Record<string, string>> = {
    __rate_interval: "4s",
    __interval: "1s",
    color: ".*",
    instance: ".*",
  };
  return expr.replace(/\$(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`$${name} is no variable of the dashboards.`);
    return value;
  });
}
