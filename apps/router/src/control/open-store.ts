import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { type FileColors, initialState, type RoutingState, transition } from "../core/transitions.ts";
import { type HandedState, readHanded } from "./handing.ts";
import { type HistoryEntry, newEntry, remember } from "./history.ts";
import type { Log } from "./log.ts";
import { digestOf, type SavedState } from "./saved-state.ts";
import { StartError } from "./start-error.ts";
import type { Storage } from "./storage.ts";
import { Store } from "./store.ts";
import { healthOfKnown } from "./target-watch.ts";

export interface OpenOptions {
  readonly config: Pick<Config, "colors" | "split">;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  /** What another router handed over; goes before what the storage holds. */
  readonly handed?: Pick<HandedState, "state" | "health"> | undefined;
}

/** The part of the configuration that the routing state begins with. */
export function fileColors(colors: Config["colors"]): FileColors {
  const entries = Object.entries(colors);
  return {
    weights: Object.fromEntries(entries.map(([name, { weight }]) => [name, weight])),
    targets: Object.fromEntries(entries.map(([name, { targets }]) => [name, targets])),
  };
}

/**
 * The store of a router that starts: the saved state wins over the file's weights and targets, unless the file's own
 * colors changed since it was saved. The log says which won. Nothing is published yet; that is `store.start()`.
 * @throws StartError
 */
export async function openStore({ config, storage, clock, log, handed }: OpenOptions): Promise<Store> {
  const file = fileColors(config.colors);
  const saved = handed ? readHanded(handed.state, file) : await storage.load(file);
  const { routing, history } = choose(file, saved, clock.now(), log);
  const usedEpoch = saved?.reservedEpoch ?? 0;
  const fileDigest = digestOf(file);
  const health = healthOfKnown(handed?.health ?? []);
  const { split } = config;
  return new Store({ storage, clock, log, split, fileDigest, routing, history, usedEpoch, health });
}

interface Beginning {
  readonly routing: RoutingState;
  readonly history: readonly HistoryEntry[];
}

function choose(file: FileColors, saved: SavedState | undefined, now: number, log: Log): Beginning {
  if (saved === undefined) {
    log.info({ revision: 1, weights: file.weights }, "No saved state: weights and targets are the file's.");
    return { routing: initialState(file), history: [] };
  }
  const { revision, weights } = saved.routing;
  if (saved.fileDigest === digestOf(file)) {
    log.info(
      { revision, weights },
      "Weights and targets are the saved ones; the file's colors have not changed.",
    );
    return saved;
  }
  const { entry, routing } = fileWins(file, saved, now);
  log.warn(
    { revision: routing.revision, weights: file.weights, saved: weights },
    "The file's colors have changed since the state was saved: weights and targets are the file's.",
  );
  return { routing, history: remember(saved.history, entry, now) };
}

/** With the same names it is a reload; with others only the revision goes on. */
function fileWins(
  file: FileColors,
  saved: SavedState,
  now: number,
): { entry: HistoryEntry; routing: RoutingState } {
  const command = { kind: "reload", file } as const;
  const names = ({ weights }: FileColors) => Object.keys(weights).join();
  const routing =
    names(file) === names(saved.routing)
      ? transition(saved.routing, command, { isAvailable: () => false })
      : { ...initialState(file, saved.routing.revision + 1), gate: saved.routing.gate };
  return { routing, entry: newEntry(saved.routing, routing, command, { who: "configuration file" }, now) };
}

/** Starts a store, or says in a sentence why its folder cannot be written. @throws StartError */
export async function startStore(store: Store, folder: string | undefined): Promise<void> {
  await store.start().catch((error: NodeJS.ErrnoException) => {
    const code = error.code ?? String(error);
    throw new StartError(
      `The state cannot be saved in ${folder} (${code}): make it writable for this user, or set "state: memory".`,
      { cause: error },
    );
  });
}
