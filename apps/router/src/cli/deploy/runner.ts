import { CliError } from "../errors.ts";
import type { PhaseName } from "./journal.ts";
import type { PhaseTitle, Progress } from "./progress.ts";

export interface PhaseIo {
  /** Aborted by Ctrl-C; never while something is taken back. */
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** A part of a deploy. Both methods go by the facts that they find, so that each may be repeated after a crash. */
export interface Phase extends PhaseTitle {
  readonly name: PhaseName;
  run(io: PhaseIo): Promise<void>;
  /** Takes back what `run` did or has begun. @throws CannotGoBack nothing before it may be taken back either */
  undo?(io: PhaseIo): Promise<void>;
}

/** Taking more back would end what serves. */
export class CannotGoBack extends CliError {}

export interface Plan {
  readonly phases: readonly Phase[];
  /** Those before it are done already. @default the first */
  readonly from?: PhaseName;
  /** Writes to the disk what is about to be done. @throws CliError it cannot be written, so it is not done */
  readonly save: (phase: PhaseName, undoing: boolean) => Promise<void>;
  readonly progress: Progress;
  readonly interrupted: AbortSignal;
  /** Called at the first failure, before anything is taken back. */
  readonly onFailure?: (phase: PhaseName) => Promise<void>;
}

export interface Timing {
  readonly name: PhaseName;
  readonly seconds: number;
  readonly ok: boolean;
}

export interface Failure {
  readonly phase: PhaseName;
  readonly error: Error;
  /** What could not be taken back, in sentences. */
  readonly problems: readonly string[];
  /** True when taking back ended early, because it would have ended what serves. */
  readonly stuck: boolean;
}

export interface Outcome {
  readonly timings: readonly Timing[];
  readonly failure: Failure | undefined;
}

const NEVER = new AbortController().signal;

/** Runs the phases in order; when one fails or is interrupted, takes back it and those before it, the last first. */
export async function runPhases(plan: Plan): Promise<Outcome> {
  const { phases, progress, save, interrupted } = plan;
  const first = Math.max(
    0,
    phases.findIndex(({ name }) => name === plan.from),
  );
  const timings: Timing[] = [];
  progress.plan(phases.slice(first));
  for (let i = first; i < phases.length; i++) {
    const phase = phases[i]!;
    const begun = performance.now();
    const timed = (ok: boolean) =>
      timings.push({ name: phase.name, seconds: (performance.now() - begun) / 1000, ok });
    try {
      interrupted.throwIfAborted();
      await save(phase.name, false);
      progress.begin(phase);
      await phase.run({ signal: interrupted, note: progress.note });
      interrupted.throwIfAborted();
      timed(true);
      progress.end(phase, performance.now() - begun);
    } catch (error) {
      timed(false);
      progress.fail(phase, (error as Error).message);
      await plan.onFailure?.(phase.name);
      const undone = await undoPhases({ ...plan, upTo: phase.name });
      return { timings, failure: { phase: phase.name, error: error as Error, ...undone } };
    }
  }
  return { timings, failure: undefined };
}

/** Takes back the phases up to one of them. */
export async function undoPhases({
  phases,
  upTo,
  save,
  progress,
}: Pick<Plan, "phases" | "save" | "progress"> & { upTo: PhaseName }): Promise<
  Pick<Failure, "problems" | "stuck">
> {
  const last = phases.findIndex(({ name }) => name === upTo);
  const title = { name: "undo", title: "take back what was done" } as const;
  const begun = performance.now();
  const problems: string[] = [];
  let stuck = false;
  progress.plan([title]);
  progress.begin(title);
  await save(upTo, true).catch(() => {}); // a full disk must not hold back a rescue
  for (const phase of phases.slice(0, last + 1).toReversed()) {
    try {
      await phase.undo?.({ signal: NEVER, note: progress.note });
    } catch (error) {
      problems.push((error as Error).message);
      stuck = error instanceof CannotGoBack;
      if (stuck) break;
    }
  }
  if (problems.length > 0) progress.fail(title, problems.join(" "));
  else progress.end(title, performance.now() - begun);
  return { problems, stuck };
}
