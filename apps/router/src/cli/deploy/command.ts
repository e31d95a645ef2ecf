import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import type { StopOldFlags } from "../deploy.ts";
import { connect, globalsOf, tokenOf } from "../globals.ts";
import { complain, print, printJson } from "../output.ts";
import { Compose } from "./compose/compose.ts";
import { ComposeSlot } from "./compose/slot.ts";
import { driversOf } from "./drivers.ts";
import { interruptOnSignals } from "./interrupt.ts";
import { stopOld } from "./keep-old.ts";
import { LocalSlot } from "./local/slot.ts";
import { type DeployFlags, duration, imageOf, readSettings } from "./options.ts";
import { isLive, type Progress, plainProgress, silentProgress } from "./progress.ts";
import { describeSuccess, type Report } from "./report.ts";
import { RouterControl } from "./router.ts";
import { type DeployParts, deploy, describePlan, plan } from "./run.ts";

/** @returns the exit code. @throws CliError nothing was begun */
export async function runDeploy(flags: DeployFlags, self: Command): Promise<number> {
  const { json = false } = globalsOf(self);
  const client = connect(self);
  const settings = { ...readSettings(flags, process.env), reaper: reaperOf(flags, self, client.url) };
  const driverFor = driversOf(flags, settings.folder);
  const driver = await driverFor({
    kind: flags.image === undefined ? "artifact" : "image",
    ref: flags.image === undefined ? flags.artifact! : imageOf(flags.image),
  });
  const interrupt = interruptOnSignals();
  const progress = json || flags.dryRun ? silentProgress : await visibleProgress();
  const parts: DeployParts = {
    settings,
    client,
    driver,
    driverFor,
    color: flags.color,
    progress,
    interrupted: interrupt.signal,
  };
  if (flags.dryRun) return dryRun(parts, json);
  const report = await deploy(parts);
  if (json) printJson(report);
  return tell(report, json);
}

async function dryRun(parts: DeployParts, json: boolean): Promise<number> {
  const planned = await plan(parts);
  const lines = describePlan(planned);
  if (json) printJson({ ok: true, result: "planned", plan: lines });
  else for (const line of lines) print(line);
  return 0;
}

function tell(report: Report, json: boolean): number {
  for (const warning of report.warnings) complain(`warning: ${warning}.`);
  if (report.ok) {
    if (!json) print(describeSuccess(report));
    return 0;
  }
  if (report.log?.length) {
    complain(`the last lines of ${report.color}'s log:`);
    for (const line of report.log) process.stderr.write(`  ${line}\n`);
  }
  complain(report.error ?? "the deploy failed.");
  return 1;
}

async function visibleProgress(): Promise<Progress> {
  if (!isLive(process.stdout, process.env)) return plainProgress();
  const { liveProgress } = await import("./live-progress.ts");
  return liveProgress();
}

/** The token goes by the environment: other users can see a process' arguments. */
function reaperOf({ file, service }: DeployFlags, self: Command, admin: string) {
  const token = tokenOf(globalsOf(self), process.env);
  return {
    args: ["--file", resolve(file), "--service", service],
    env: { SLUICE_ADMIN: admin, ...(token === undefined ? {} : { SLUICE_ADMIN_TOKEN: token }) },
  };
}

/** Milliseconds between two looks whether a deploy that came in between is over. */
const AGAIN = 5_000;
const TRIES = 12;

export async function runStopOld(
  color: string,
  id: string,
  { folder, after, kind, file, service }: StopOldFlags,
  self: Command,
): Promise<number> {
  await pause(duration("--after", after));
  const router = new RouterControl(connect(self));
  const slot =
    kind === "image"
      ? new ComposeSlot(await Compose.open(file), color, service)
      : new LocalSlot(folder, color);
  for (let left = TRIES; ; left--) {
    try {
      print(await stopOld({ folder, color, id }, router, slot));
      return 0;
    } catch (error) {
      if (left <= 1) throw error;
      await pause(AGAIN);
    }
  }
}
