import { spawnSync } from "node:child_process";
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

/** Whether a program can be started here; in CI a missing one fails the tests that need it instead. */
export function installed(program: string, versionFlag = "--version"): boolean {
  const found = spawnSync(program, [versionFlag]).error === undefined;
  if (!found) console.log(`${program} is not installed: what needs it is not tested.`);
  return found || process.env.CI === "true";
}
