import { randomUUID } from "node:crypto";
import type { AdminClient } from "../admin-client.ts";
import { type Deployment, type DeploySettings, journalEntry, versionOf } from "./deployment.ts";
import type { Driver } from "./driver.ts";
import { Journal, type JournalEntry, PHASES } from "./journal.ts";
import { pruneArtifacts } from "./local/artifact.ts";
import { describeHolder, takeLock } from "./lock.ts";
import { chooseColors, lookAtOld, mustAnswer } from "./look.ts";
import { expectFacts, phasesOf } from "./phases.ts";
import type { Progress } from "./progress.ts";
import { type DeployRecord, RecordFile } from "./record.ts";
import { decide, recover } from "./recover.ts";
import { failed, type Report, succeeded } from "./report.ts";
import { RouterControl } from "./router.ts";
import { runPhases } from "./runner.ts";
import { describeVersion, type Version } from "./version.ts";

export interface DeployParts {
  readonly settings: DeploySettings;
  readonly client: AdminClient;
  readonly driver: Driver;
  /** The driver of a version that another deploy started. */
  readonly driverFor: (version: Pick<Version, "kind" | "ref">) => Promise<Driver>;
  /** The color to deploy to. @default the idle one */
  readonly color: string | undefined;
  readonly progress: Progress;
  readonly interrupted: AbortSignal;
}

/** Lines of the failing version's log that are shown. */
const LINES = 20;

/**
 * Deploys. What a killed deploy left is ended first.
 * @returns what was done; when it failed, everything is as before
 * @throws CliError nothing was begun
 */
export async function deploy(parts: DeployParts): Promise<Report> {
  const { settings, progress, interrupted } = parts;
  const lock = await takeLock(settings.folder, settings.reason);
  try {
    if (lock.stale) progress.note(`took over the lock of ${describeHolder(lock.stale)}, which is dead`);
    const finished = await endKilled(parts);
    const deployment = await look(parts);
    if (finished && isSame(finished, versionOf(deployment))) return succeeded(deployment, [], "finished");
    const { journal, save } = journalOf(parts, deployment);
    let lines: readonly string[] = [];
    const outcome = await runPhases({
      phases: phasesOf(deployment),
      save,
      progress,
      interrupted,
      onFailure: async (phase) => {
        if (PHASES.indexOf(phase) < PHASES.indexOf("start")) return;
        lines = await deployment.slot.lastLines(LINES);
      },
    });
    // while the new version may still serve, the next deploy has to know
    if (!outcome.failure?.stuck) {
      await journal.remove().catch(({ message }) => deployment.warnings.push(message.replace(/\.$/, "")));
    }
    if (outcome.failure) return failed(deployment, outcome, lines);
    await prune(deployment);
    return succeeded(deployment, outcome.timings, "deployed");
  } finally {
    await progress.close();
    await lock.release();
  }
}

/** What a deploy would do. Changes nothing. @throws CliError it would be refused */
export async function plan(
  parts: DeployParts,
): Promise<{ deployment: Deployment; killed: string | undefined }> {
  const { settings, client } = parts;
  const entry = await new Journal(settings.folder).read({ setAside: false });
  const deployment = await look(parts);
  if (!entry) return { deployment, killed: undefined };
  const decision = decide(entry, await new RouterControl(client).state());
  return {
    deployment,
    killed: `${entry.version.ref} on ${entry.color}, killed in phase ${entry.phase}: ${decision}`,
  };
}

function journalOf({ settings }: DeployParts, deployment: Deployment) {
  const journal = new Journal(settings.folder);
  const save = (phase: JournalEntry["phase"], undoing: boolean) =>
    journal.write(journalEntry(deployment, phase, undoing));
  return { journal, save };
}

/** @returns the version that a killed deploy had switched to, if it was finished */
async function endKilled(parts: DeployParts): Promise<Version | undefined> {
  const { settings, client, progress, driverFor, interrupted } = parts;
  const journal = new Journal(settings.folder);
  const entry = await journal.read({
    setAside: true,
    onDamage: (aside) =>
      progress.note(`the journal of a killed deploy is damaged and was set aside as ${aside}`),
  });
  if (!entry) return undefined;
  const router = new RouterControl(client);
  const { file: record, content: recordBefore } = await readRecord(parts);
  const finished = await recover({
    entry,
    state: await router.look(),
    settings,
    router,
    driverFor,
    record,
    recordBefore,
    save: (next) => journal.write(next),
    progress,
    interrupted,
  });
  await journal.remove();
  return finished ? entry.version : undefined;
}

async function readRecord({ settings, progress }: DeployParts) {
  const file = new RecordFile(settings.folder);
  const content: DeployRecord | undefined = await file.read((path) =>
    progress.note(`the record ${path} is damaged; it is written anew`),
  );
  return { file, content };
}

const isSame = (a: Version, b: Version): boolean =>
  a.kind === b.kind && a.ref === b.ref && a.digest === b.digest && a.image_id === b.image_id;

async function look(parts: DeployParts): Promise<Deployment> {
  const { settings, client, driver } = parts;
  const router = new RouterControl(client);
  const state = await router.look();
  const { color, from } = chooseColors(state, parts.color);
  const release = await driver.inspect();
  expectFacts({ release, settings });
  await mustAnswer(settings.url);
  const { file: record, content: recordBefore } = await readRecord(parts);
  const before = color.targets.map(({ url }) => url);
  const known = before.length > 0 ? before : (recordBefore?.colors[color.name]?.targets ?? []);
  const old = await lookAtOld(from, { driver, folder: settings.folder, record: recordBefore });
  return {
    id: randomUUID(),
    started: new Date().toISOString(),
    settings,
    router,
    driver,
    color: color.name,
    weight: color.weight,
    slot: driver.slot(color.name),
    old,
    targetsBefore: before,
    targets: await driver.targets(color.name, known),
    record,
    recordBefore,
    release,
    golden: undefined,
    drained: false,
    warnings: [],
  };
}

/** Copies of artifacts that no color needs for a way back. */
async function prune({ record, settings, warnings }: Deployment): Promise<void> {
  try {
    const now = await record.read();
    const used = Object.values(now?.colors ?? {}).flatMap(({ artifact }) => artifact ?? []);
    await pruneArtifacts(settings.folder, used);
  } catch (error) {
    warnings.push(`old artifacts could not be removed: ${(error as Error).message}`);
  }
}

/** For a plan: what is deployed where. */
export function describePlan({ deployment, killed }: Awaited<ReturnType<typeof plan>>): string[] {
  const { old, color, router, targetsBefore, targets, settings } = deployment;
  return [
    `router   ${router.url}: ${old.color} serves${old.version ? ` ${describeVersion(old.version)}` : ""}, ${color} is idle`,
    `deploy   ${describeVersion(versionOf(deployment))} to ${color} at ${targets.join(", ")}`,
    `journal  ${killed ?? `no killed deploy in ${settings.folder}`}`,
    `targets  ${color} has ${targetsBefore.join(", ") || "none"}`,
    ...phasesOf(deployment).map(({ name, title }) => `${name.padEnd(8)} ${title}`),
    "Nothing was changed.",
  ];
}
