import type { Version } from "./version.ts";

/** A color's place on this machine, where one version at a time runs. Every method may be repeated. */
export interface Slot {
  readonly color: string;
  /** What runs here now, as far as it was started by a deploy or is this machine's to stop. */
  running(): Promise<Version | undefined>;
  /** Ends what runs here and removes what is left of it. @throws CliError something else holds the place */
  clear(): Promise<void>;
  /** Starts a version; it is not ready yet. @throws CliError */
  start(version: Version, signal: AbortSignal): Promise<void>;
  /**
   * Where it answers without the router, by the protocol of the router's targets.
   * @throws CliError it does not run
   */
  endpoints(targets: readonly string[]): Promise<readonly string[]>;
  /** @throws CliError it has ended or the engine calls it unhealthy; false while it must be waited for */
  sound(): Promise<boolean>;
  /** Ends it gently; a start brings it back. */
  stop(): Promise<void>;
  /** What it printed last, for the moment when something went wrong. Never throws. */
  lastLines(count: number): Promise<readonly string[]>;
}
