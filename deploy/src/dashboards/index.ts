import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { model } from "./model.ts";
import { processes } from "./process.ts";
import { release } from "./release.ts";

/** Every dashboard, by the name of its file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  "release.json": release,
  "model.json": model,
  "process.json": processes,
};

/** A dashboard's file. */
export function toJson(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
