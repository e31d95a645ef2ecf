import { unusedPort } from "../../../test.shared.ts";
import type { Contender } from "../contenders/contender.ts";
import type { Options, PartName } from "../options.ts";
import type { Cores, Pinned } from "../processes/pinned.ts";
import { untilServing } from "../processes/ports.ts";

/** What all parts share. */
export interface Bench {
  readonly options: Options;
  /** Folder for configurations. */
  readonly folder: string;
  readonly proxyCore: number;
  /** Core of the load and of the upstreams. */
  readonly loadCore: Cores;
  /** Those that are installed here. */
  readonly contenders: readonly Contender[];
  /** Tells what is going on, to whoever watches. */
  say(text: string): void;
  /** Tells what went wrong; the measurement is left out. */
  complain(text: string): void;
}

/** A table, as a part leaves it. */
export interface Report {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How to read it. */
  readonly note: string;
}

/** One thing that is measured. */
export interface Part {
  readonly name: PartName;
  /** Programs that it cannot do without. */
  readonly needs: readonly string[];
  /** Why it is left out here, with a line; undefined when it is not. */
  missing?(): string | undefined;
  run(bench: Bench): Promise<Report>;
}

/** What a proxy has to take beside the usual. */
export interface Demands {
  readonly connections?: number;
  readonly body?: number;
  /** Waits until it serves. Default: until it answers over HTTP/1.1 */
  readonly ready?: (port: number, pinned: Pinned) => Promise<void>;
}

/** A port to load: a contender's or, without one, an upstream's own. */
export interface Running {
  readonly port: number;
  readonly pids: readonly number[];
}

/** Starts two upstreams for as long as `use` takes. */
export async function withUpstreams<T>(
  start: (port: number) => Pinned,
  use: (ports: readonly [number, number]) => Promise<T>,
  ready = untilServing,
): Promise<T> {
  const ports = [await unusedPort(), await unusedPort()] as const;
  const running = ports.map(start);
  try {
    for (const [i, port] of ports.entries()) await ready(port, running[i]!);
    return await use(ports);
  } finally {
    for (const upstream of running) await upstream.stop();
  }
}

/** Starts a contender for as long as `use` takes. */
export async function withProxy<T>(
  bench: Bench,
  contender: Contender,
  upstreams: readonly [number, number],
  use: (running: Running) => Promise<T>,
  { connections = 2000, body, ready = untilServing }: Demands = {},
): Promise<T> {
  const { proxyCore: core, folder } = bench;
  const port = await unusedPort();
  const proxy = contender.start({ core, port, upstreams, folder, connections, body });
  try {
    await ready(port, proxy);
    return await use({ port, pids: proxy.pids });
  } finally {
    await proxy.stop();
  }
}

/** Seconds of load before the first measurement; a compiler needs some to settle. */
export function warmSeconds({ native }: Contender): number {
  return native ? 1 : 3;
}

/**
 * Measures each contender once a round, and round by round, so that a machine that slows down slows down for all.
 * @returns each contender's samples, in the contenders' order; fewer than rounds where some failed
 */
export async function inRounds<C extends { readonly name: string }, S>(
  bench: Bench,
  rounds: number,
  contenders: readonly C[],
  measure: (contender: C) => Promise<S>,
): Promise<ReadonlyMap<string, readonly S[]>> {
  const samples = new Map<string, S[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      bench.say(`round ${round} of ${rounds}: ${contender.name}`);
      try {
        samples.get(contender.name)!.push(await measure(contender));
      } catch (error) {
        bench.complain(`${contender.name}: ${(error as Error).message}`);
      }
    }
  }
  return samples;
}
