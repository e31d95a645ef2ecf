import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const root = join(import.meta.dirname, "..", "..");
const folder = join(root, ".github", "workflows");

export interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
}

export interface Workflow {
  readonly file: string;
  readonly text: string;
  readonly permissions: unknown;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": unknown };
  readonly jobs: Readonly<Record<string, Job>>;
}

export const workflows: readonly Workflow[] = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), "utf8");
  return { file, text, ...parse(text) };
});

export const stepsOf = ({ jobs }: Workflow): Step[] =>
  Object.values(jobs).flatMap(({ steps }) => steps ?? []);

/** Each `run:` of all workflows, once. */
export const runLines = [...new Set(workflows.flatMap(stepsOf).flatMap(({ run }) => (run ? [run] : [])))];

export const packageScripts: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
).scripts;
