import type { ColorFacts, Facts, RolloutState } from "../../core/rollout/state.ts";
import type { ReportBook } from "../report-book.ts";
import type { Store } from "../store.ts";
import type { TargetWatch } from "../target-watch.ts";

export interface World {
  readonly store: Pick<Store, "view">;
  readonly book: ReportBook;
  readonly watch: TargetWatch;
}

/** What the routing table and the data plane say of the two colors of a rollout. */
export function worldFacts(
  world: World,
  state: RolloutState,
): Pick<Facts, "share" | "drained" | "closed" | "candidate" | "stable"> {
  const { candidate, stable } = state;
  return {
    share: shareOf(world, candidate.color, stable.color),
    drained: isDrained(world, [candidate.color, stable.color]),
    closed: isClosed(world),
    candidate: colorFacts(world, candidate.color, candidate.digest),
    stable: colorFacts(world, stable.color, stable.digest),
  };
}

/** New requests are held by a pause, or turned away by maintenance. */
export function isClosed({ store }: Pick<World, "store">): boolean {
  return store.view.routing.gate !== undefined;
}

/** In percent of both; undefined while a worker serves by older weights, or another color has some. */
function shareOf({ store, book }: World, candidate: string, stable: string): number | undefined {
  const { epoch, colors } = store.view.snapshot;
  if (!book.acknowledged(epoch)) return undefined;
  const of = (name: string) => colors.find((color) => color.name === name)?.share ?? 0;
  const both = of(candidate) + of(stable);
  const others = colors.some(({ name, share }) => share > 0 && name !== candidate && name !== stable);
  return others || both === 0 ? undefined : (100 * of(candidate)) / both;
}

function isDrained({ store, book }: World, pair: readonly string[]): boolean {
  const { epoch, colors } = store.view.snapshot;
  const emptied = colors
    .filter(({ name, share }) => share === 0 && pair.includes(name))
    .map(({ name }) => name);
  return book.acknowledged(epoch) && Object.values(book.inFlight(emptied)).every((count) => count === 0);
}

function colorFacts(world: World, color: string, expected: string): ColorFacts {
  return { available: world.store.view.isAvailable(color), digest: digestOf(world, color, expected) };
}

/** One target that runs something else makes the color run something else: it answers a part of its requests. */
function digestOf({ store, watch }: World, color: string, expected: string): string | undefined {
  const urls = store.view.routing.targets[color] ?? [];
  const known = urls.map((url) => watch.lastCheck(url)?.digest).filter((digest) => digest !== undefined);
  return known.find((digest) => digest !== expected) ?? known[0];
}

/** What a color's targets say that they run; undefined where none says, or two differ. */
export function identityOf(world: World, color: string): { version: string; digest: string } | undefined {
  const urls = world.store.view.routing.targets[color] ?? [];
  const said = urls.map((url) => world.watch.lastCheck(url)).filter((check) => check?.digest);
  const [first] = said;
  if (first?.digest === undefined || said.some((check) => check!.digest !== first.digest)) return undefined;
  return { version: first.version ?? "", digest: first.digest };
}
