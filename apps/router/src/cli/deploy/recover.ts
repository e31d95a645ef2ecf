import type { State } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { type Deployment, type DeploySettings, journalEntry } from "./deployment.ts";
import type { Driver } from "./driver.ts";
import { type JournalEntry, PHASES, type PhaseName } from "./journal.ts";
import { LocalSlot } from "./local/slot.ts";
import { phasesOf } from "./phases.ts";
import type { Progress } from "./progress.ts";
import type { DeployRecord, RecordFile } from "./record.ts";
import { colorOf, type RouterControl, soleColor } from "./router.ts";
import { type Phase, runPhases, undoPhases } from "./runner.ts";
import type { Version } from "./version.ts";

export type Recovery = "clean up" | "finish" | "go back";

/**
 * What to do about a deploy that was killed, by the facts: how far it says it was, and where the weight is now. The table in
 * docs/deploy.md is this function.
 */
export function decide(entry: JournalEntry, state: State): Recovery {
  if (colorOf(state, entry.color).weight === 0) return "clean up";
  if (entry.phase === "clean" && !entry.undoing) return "clean up"; // it may have had weight before, and still does
  if (entry.undoing) return "go back";
  return soleColor(state)?.name === entry.color ? "finish" : "go back";
}

export interface RecoverParts {
  readonly entry: JournalEntry;
  readonly state: State;
  readonly settings: DeploySettings;
  readonly router: RouterControl;
  readonly driverFor: (version: Pick<Version, "kind" | "ref">) => Promise<Driver>;
  readonly record: RecordFile;
  readonly recordBefore: DeployRecord | undefined;
  readonly save: (entry: JournalEntry) => Promise<void>;
  readonly progress: Progress;
  readonly interrupted: AbortSignal;
}

/**
 * Ends what a killed deploy began: finishes it when its version has all weight and proves good, else takes it back.
 * @returns true when it was finished
 * @throws CliError it could not be ended
 */
export async function recover(parts: RecoverParts): Promise<boolean> {
  const { entry, state, progress, interrupted } = parts;
  const decision = decide(entry, state);
  const deploy = await rebuild(parts);
  const save = (phase: PhaseName, undoing: boolean) => parts.save(journalEntry(deploy, phase, undoing));
  const phases = phasesOf(deploy);
  progress.note(
    `the deploy of ${entry.version.ref} to ${entry.color} by ${entry.user}@${entry.host} (process ${entry.pid}, ${entry.started}) was killed in phase ${entry.phase}: ${SAYS[decision]}`,
  );
  if (decision !== "finish") {
    const { problems, stuck } = await undoPhases({ phases, upTo: entry.phase, save, progress });
    if (stuck) throw new CliError(`the killed deploy could not be taken back: ${problems.join(" ")}`);
    return false; // what else could not be taken back, the next deploy clears away
  }
  const { failure } = await runPhases({
    phases: onceMore(phases),
    from: "ready",
    save: (phase, undoing) => save(later(phase, entry.phase), undoing),
    progress,
    interrupted,
  });
  if (!failure) return true;
  if (interrupted.aborted) throw failure.error;
  if (failure.stuck) {
    throw new CliError(
      `the killed deploy could be neither finished (${failure.error.message}) nor taken back: ${failure.problems.join(" ")}`,
    );
  }
  progress.note(`it did not prove good (${failure.error.message}), so ${entry.from} serves again`);
  return false;
}

const SAYS: Readonly<Record<Recovery, string>> = {
  "clean up": "nothing was switched, so it is cleaned up",
  finish: "its version has all weight, so it is checked and finished",
  "go back": "its version has weight without being proved, so it is taken back",
};

/** Of two phases the later one: a crash while finishing must not make the next one believe less was done. */
const later = (a: PhaseName, b: PhaseName): PhaseName => (PHASES.indexOf(a) > PHASES.indexOf(b) ? a : b);

/** The new version is checked once more; all else up to the switch is done, but may have to be taken back. */
function onceMore(phases: readonly Phase[]): readonly Phase[] {
  const again = ["ready", "check"];
  const split = phases.findIndex(({ name }) => name === "verify");
  const before = phases.slice(0, split);
  return [
    ...before.filter(({ name }) => !again.includes(name)),
    ...before.filter(({ name }) => again.includes(name)),
    ...phases.slice(split),
  ];
}

async function rebuild(parts: RecoverParts): Promise<Deployment> {
  const { entry, settings, router, record, recordBefore } = parts;
  const driver = await parts.driverFor(entry.version);
  const oldSlot =
    entry.old &&
    (entry.old.kind === "artifact"
      ? new LocalSlot(settings.folder, entry.from)
      : (await parts.driverFor(entry.old)).slot(entry.from));
  const { targets, ...version } = entry.version;
  return {
    id: entry.id,
    started: entry.started,
    // what this deploy expects is not what that one expected
    settings: { ...settings, expectVersion: undefined, expectDigest: undefined },
    router,
    driver,
    color: entry.color,
    weight: 0,
    slot: driver.slot(entry.color),
    old: {
      color: entry.from,
      digest: entry.old_digest,
      healthy: entry.old_digest !== null,
      slot: oldSlot,
      version: entry.old,
    },
    targetsBefore: entry.targets_before,
    targets,
    record,
    recordBefore,
    release: { version, golden: undefined, preparation: "" },
    golden: undefined,
    drained: false,
    warnings: [],
  };
}
