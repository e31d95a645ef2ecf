import { unusedPort } from "../../../test.shared.ts";
import { sluiceWithAdmin } from "../contenders/in-node.ts";
import { median } from "../statistics.ts";
import { untilUp } from "./admin.ts";
import { type Bench, type Report, type Running, withProxy } from "./part.ts";
import { load, type Sample } from "./small.ts";

/** One way to run the router. The first of several is what the others are compared with. */
export interface Way {
  readonly name: string;
  /** Options beside the usual. */
  readonly config: object;
  /** Brings it into the state that is measured. @param admin its admin API's port */
  prepare(admin: number): Promise<unknown>;
}

/** Each way's samples, one a turn, for each round. */
export type Rounds = readonly ReadonlyMap<string, readonly Sample[]>[];

/**
 * Seconds of load on all at once before the first turn. What runs a hundred times a second, however busy the router, is compiled by then;
 * after ten seconds it was not, and V8 was still at it.
 */
const WARM = 60;
/** Turns for each second that was asked for; one is a second long. */
const TURNS = 4;

/**
 * Runs all ways at once on the same core, and loads them in turns: a machine that is slower for a while is so for all, and a round's new
 * processes show how much is due to where a process happens to lie in memory. Medians of separate runs cannot tell 5 %.
 */
export async function inTurns(
  bench: Bench,
  ways: readonly Way[],
  upstreams: readonly [number, number],
  script?: string,
): Promise<Rounds> {
  const rounds: ReadonlyMap<string, readonly Sample[]>[] = [];
  for (let round = 1; round <= bench.options.rounds; round++) {
    bench.say(`round ${round} of ${bench.options.rounds}`);
    const running = new Map<string, Running>();
    const start = async (rest: readonly Way[]): Promise<void> => {
      const [way, ...others] = rest;
      if (way === undefined) return void rounds.push(await turns(bench, running, script));
      const admin = await unusedPort();
      await withProxy(bench, sluiceWithAdmin(way.name, admin, way.config), upstreams, async (proxy) => {
        await untilUp(admin);
        await way.prepare(admin);
        running.set(way.name, proxy);
        await start(others);
      });
    };
    await start(ways).catch((error: Error) => bench.complain(error.message));
  }
  return rounds;
}

/** There and back again, so that no way always comes after the same one. */
async function turns(
  bench: Bench,
  running: ReadonlyMap<string, Running>,
  script: string | undefined,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>([...running.keys()].map((name) => [name, []]));
  await Promise.all([...running.values()].map((each) => load(bench, each, WARM, script)));
  for (let turn = 0; turn < TURNS * bench.options.seconds; turn++) {
    const order = turn % 2 === 0 ? [...running] : [...running].reverse();
    for (const [name, proxy] of order) samples.get(name)!.push(await load(bench, proxy, 1, script));
  }
  return samples;
}

/** How many times what another way costs each turn cost, as the middle of all turns. Those of one round belong together. */
export function ratioOf(rounds: Rounds, name: string, other: string): number {
  const ratios = rounds.flatMap((round) => {
    const base = round.get(other)!;
    return round.get(name)!.map(({ microseconds }, turn) => microseconds / base[turn]!.microseconds);
  });
  return median(ratios);
}

/** A row for each way: what a request costs, as a multiple of the first way's cost, and how far rounds differ in that. */
export function turnsTable(rounds: Rounds, ways: readonly Way[]): Pick<Report, "head" | "rows"> {
  const first = ways[0]!.name;
  const head = ["", "CPU µs/request", "× none", "rounds", "requests/s", "p99 ms", "failures"];
  const rows = ways.map(({ name }) => {
    const all = rounds.flatMap((round) => round.get(name)!);
    const middle = (of: (sample: Sample) => number, digits: number) => median(all.map(of)).toFixed(digits);
    const each = rounds.map((round) => ratioOf([round], name, first));
    const spread = [Math.min(...each), Math.max(...each)].map((ratio) => ratio.toFixed(2)).join("–");
    return [
      name,
      middle(({ microseconds }) => microseconds, 1),
      ratioOf(rounds, name, first).toFixed(2),
      name === first ? "" : spread,
      middle(({ perSecond }) => perSecond, 0),
      middle(({ p99 }) => p99, 2),
      String(all.reduce((sum, { failures }) => sum + failures, 0)),
    ];
  });
  return { head, rows: rounds.length === 0 ? [] : rows };
}

/** How to read such a table. */
export function turnsNote({ options: { rounds, seconds } }: Bench): string {
  return `All run at once and are loaded in turns of a second, ${TURNS * seconds} a round, after ${WARM} s of all together; ${rounds} rounds with new processes. CPU of the router's processes; "× none" is the median of the ratios of turns, "rounds" its lowest and highest. What is limited by the second has a quarter of a second's more at the beginning of each turn.`;
}
