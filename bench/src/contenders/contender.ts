import { type Cores, has, type Pinned } from "../processes/pinned.ts";

export interface Place {
  /** What the proxy runs on. */
  readonly core: Cores;
  /** Port that it listens on. */
  readonly port: number;
  /** Ports of the two upstreams. */
  readonly upstreams: readonly [number, number];
  /** Folder for its configuration. */
  readonly folder: string;
  /** Client connections that it has to take. */
  readonly connections: number;
  /** Bytes that a request's body may have where the default does not do; undefined: the default does. */
  readonly body: number | undefined;
}

/** A proxy to be measured: two upstreams at 90 to 10, keep-alive on both sides, access log off, bodies never on disk. */
export interface Contender {
  readonly name: string;
  /** Runs compiled from the start, so a second of load warms it up. */
  readonly native: boolean;
  /** Why it cannot run here; undefined when it can. */
  missing(): string | undefined;
  start(place: Place): Pinned;
}

export const fromDebian = (program: string) => () =>
  has(program) ? undefined : `${program} is not installed (apt-get install ${program})`;
