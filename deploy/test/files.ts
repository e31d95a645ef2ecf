import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const DEPLOY = fileURLToPath(new URL("..", import.meta.url));
export const PROMETHEUS = join(DEPLOY, "prometheus");
export const DASHBOARDS = join(DEPLOY, "grafana/dashboards");

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function readYaml(path: string): unknown {
  return parse(readFileSync(path, "utf8"));
}

/** Every recording rule and alert. */
export function readRules(): Rule[] {
  const folder = join(PROMETHEUS, "rules");
  return readdirSync(folder).flatMap((file) => {
    const { groups } = readYaml(join(folder, file)) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}
