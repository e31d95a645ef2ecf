import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import type { AdminClient } from "../admin-client.ts";
import type { StopOldFlags } from "../deploy.ts";
import { CliError } from "../errors.ts";
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

/**
 * Runs `sluice deploy`.
 * @param watch instead of the terminal
 * @returns the exit code
 * @throws CliError nothing was begun
 */
export async function runDeploy(flags: DeployFlags, self: Command, watch?: Progress): Promise<number> {
  const { json = false } = globalsOf(self);
  outliveReaders();
  try {
    const interrupted = interruptOnSignals();
    const progress = watch ?? (json || flags.dryRun ? silentProgress : await visibleProgress());
    const connection = { client: connect(self), token: tokenOf(globalsOf(self), process.env) };
    const parts = await partsOf(flags, connection, progress, interrupted);
    if (flags.dryRun) return await dryRun(parts, json);
    const report = await deploy(parts);
    if (json) printJson(report);
    return tell(report, json);
  } catch (error) {
    if (json && error instanceof CliError) printJson({ ok: false, result: "refused", error: error.message });
    throw error;
  }
}

export interface Connection {
  readonly client: AdminClient;
  readonly token: string | undefined;
}

/** What a deploy is made of, by its options. @throws CliError of usage, or there is no Compose */
export async function partsOf(
  flags: DeployFlags,
  connection: Connection,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<DeployParts> {
  const { client } = connection;
  const settings = { ...readSettings(flags, process.env), reaper: reaperOf(flags, connection) };
  const driverFor = driversOf(flags, settings.folder);
  const driver = await driverFor(
    flags.image === undefined
      ? { kind: "artifact", ref: flags.artifact! }
      : { kind: "image", ref: imageOf(flags.image) },
  );
  return { settings, client, driver, driverFor, color: flags.color, progress, interrupted };
}

/** A terminal or a pipe that goes away must not end a deploy in the middle. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", () => {});
  }
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
function reaperOf({ file, service }: DeployFlags, { client, token }: Connection) {
  return {
    args: ["--file", resolve(file), "--service", service],
    env: { SLUICE_ADMIN: client.url, ...(token === undefined ? {} : { SLUICE_ADMIN_TOKEN: token }) },
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
