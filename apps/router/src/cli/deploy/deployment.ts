import type { GoldenRow } from "../../checks/golden.ts";
import type { WarmUp } from "../../checks/warm-up.ts";
import type { Driver, Release } from "./driver.ts";
import type { JournalEntry, PhaseName } from "./journal.ts";
import { self } from "./lock.ts";
import type { DeployRecord, RecordFile } from "./record.ts";
import type { RouterControl } from "./router.ts";
import type { Slot } from "./slot.ts";
import type { Switch } from "./switch.ts";
import type { Version } from "./version.ts";

/** What whoever deploys has asked for. Times are milliseconds. */
export interface DeploySettings {
  /** Where locks, journals, records and logs are. */
  readonly folder: string;
  /** Where clients connect. */
  readonly url: string;
  /** How many requests are sent there after the switch. */
  readonly requests: number;
  readonly expectVersion: string | undefined;
  readonly expectDigest: string | undefined;
  readonly warm: WarmUp;
  readonly switch: Switch;
  /** For the new version to get ready, and for the router to see it. */
  readonly timeout: number;
  readonly drainTimeout: number;
  /** How long the old version goes on running; undefined: it is stopped once it is drained. */
  readonly keepOld: number | undefined;
  readonly reason: string;
  /** How a process that stops the old version later finds the router and the containers. */
  readonly reaper: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

/** What the new version takes over from. */
export interface Old {
  readonly color: string;
  /** By what the router knows; null when nobody answers there. */
  readonly digest: string | null;
  /** False when the router knew no healthy target: there is nothing to verify when it is gone back to. */
  readonly healthy: boolean;
  /** Where it runs, if it is this machine's to stop and start. */
  readonly slot: Slot | undefined;
  readonly version: Version | undefined;
}

/** One deploy: what it found, and what it learns on its way. */
export interface Deployment {
  readonly id: string;
  readonly started: string;
  readonly settings: DeploySettings;
  readonly router: RouterControl;
  readonly driver: Driver;
  readonly color: string;
  /** Its weight before; almost always 0. */
  readonly weight: number;
  readonly slot: Slot;
  readonly old: Old;
  readonly targetsBefore: readonly string[];
  readonly targets: readonly string[];
  readonly record: RecordFile;
  readonly recordBefore: DeployRecord | undefined;
  release: Release;
  /** The rows that it answered as it should; known once it was checked. */
  golden: readonly GoldenRow[] | undefined;
  drained: boolean;
  /** Things that went wrong and do not take the release back. */
  readonly warnings: string[];
}

export const versionOf = ({ release, targets }: Deployment): Version => ({
  ...release.version,
  targets: [...targets],
});

export function journalEntry(deployment: Deployment, phase: PhaseName, undoing: boolean): JournalEntry {
  const { id, started, color, old, targetsBefore } = deployment;
  return {
    schema: 1,
    id,
    phase,
    undoing,
    color,
    from: old.color,
    version: versionOf(deployment),
    ...(old.version ? { old: old.version } : {}),
    old_digest: old.digest,
    targets_before: [...targetsBefore],
    started,
    ...self(),
  };
}
