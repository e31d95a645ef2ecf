import type { GoldenRow } from "../../checks/golden.ts";
import type { Slot } from "./slot.ts";
import type { Version } from "./version.ts";

/** What is to be deployed, as far as it is known before anything was started. */
export interface Release {
  readonly version: Omit<Version, "targets">;
  /** The artifact's, where there is one to read. */
  readonly golden: readonly GoldenRow[] | undefined;
  /** What getting it ready will do, for the plan. */
  readonly preparation: string;
}

/** A way to run versions on this machine: as processes, or as containers. */
export interface Driver {
  readonly kind: Version["kind"];
  slot(color: string): Slot;
  /** Looks at what is to be deployed, and changes nothing. @throws CliError it is not there, or not fit */
  inspect(): Promise<Release>;
  /** Where the version will answer on a color, as the router knows it. @throws CliError it cannot be there */
  targets(color: string, known: readonly string[]): Promise<readonly string[]>;
  /** Brings what is to be deployed to this machine: pulls, or copies. */
  prepare(release: Release, signal: AbortSignal, note: (text: string) => void): Promise<Release>;
  /** Writes what is deployed where the next start of everything reads it. @returns how to take that back */
  publish(color: string, version: Version, note: (text: string) => void): Promise<() => Promise<void>>;
  /** What `publish` will write, for the plan. */
  readonly publishes: (color: string) => string | undefined;
}
