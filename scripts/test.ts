// `npm test`: lint, types, smoke and unit tests, training, build; then the integration tests, one workspace at a time,
// because they start real processes under load; then the container tests, where a Docker engine answers (with
// SLUICE_CONTAINERS=required, a missing one is a failure). Ends with one line that counts what the test runners reported.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCompose, whyNoEngine } from "./docker/engine.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const reports = join(root, "reports");

const QUICK = ["lint", "//#lint:root", "typecheck", "test:smoke", "test:unit", "train", "build"];
const SLOW = ["test:integration"];
const CONTAINERS = ["test:containers"];

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
const quick = turbo(QUICK, 2);
const slow = quick === 0 ? turbo(SLOW, 1) : 1;
const containers = quick === 0 ? testContainers() : 1;
process.exitCode = summarize() && quick + slow + containers === 0 ? 0 : 1;

/** @returns the exit code; 0 when they were skipped, which a line says. */
function testContainers(): number {
  const why = whyNoEngine() ?? (findCompose() ? undefined : "Compose is not installed.");
  if (!why) return turbo(CONTAINERS, 1);
  const required = process.env.SLUICE_CONTAINERS === "required";
  console.log(`\nThe container tests were ${required ? "required, and could not run" : "skipped"}: ${why}`);
  return required ? 1 : 0;
}

function turbo(tasks: readonly string[], concurrency: number): number {
  const args = [
    "run",
    ...tasks,
    `--concurrency=${concurrency}`,
    "--output-logs=new-only",
    // a failure in one workspace must not hide those of the others
    "--continue=dependencies-successful",
    "--no-update-notifier",
  ];
  const env = { ...process.env, SLUICE_REPORTS: reports, TURBO_TELEMETRY_DISABLED: "1" };
  const { status, error } = spawnSync("turbo", args, { cwd: root, stdio: "inherit", env });
  if (error) console.error(`turbo could not be started: ${error.message}. Run "npm ci" first.`);
  return status ?? 1;
}

/** @returns false when no test ran or a report says that one failed. */
function summarize(): boolean {
  const all = readdirSync(reports).map(
    (file) => JSON.parse(readFileSync(join(reports, file), "utf8")) as Report,
  );
  const sum = (key: "numPassedTests" | "numFailedTests" | "numPendingTests") =>
    all.reduce((total, report) => total + report[key], 0);
  // A file that broke outside its tests has failed, too, and no test of it says so.
  const broken = all
    .flatMap(({ testResults }) => testResults)
    .filter(
      ({ status, assertionResults: tests }) =>
        status === "failed" && !tests.some((test) => test.status === "failed"),
    );
  const failed = sum("numFailedTests") + broken.length;
  const skipped = sum("numPendingTests");
  if (skipped > 0) console.log(`\n${skipped} skipped`);
  console.log(`\n${sum("numPassedTests")} passed, ${failed} failed`);
  return sum("numPassedTests") > 0 && all.every((report) => report.success);
}
