import type { FileColors } from "../core/transitions.ts";
import type { SavedState } from "./saved-state.ts";

/**
 * Where the routing state outlives the process. With one machine a folder; several would share an engine with
 * compare-and-set. One writer at a time: the store.
 */
export interface Storage {
  /** What was saved last; undefined when nothing was. @throws StartError when it cannot be used at all */
  load(file: FileColors): Promise<SavedState | undefined>;
  /** Resolves once the state would survive a power cut. Rejects with nothing changed. */
  save(state: SavedState): Promise<void>;
  close(): Promise<void>;
  /** After `close`: has it again. @throws StartError somebody else has it */
  reopen(): Promise<void>;
}

/** `state: memory`: a restart begins by the file. */
export class MemoryStorage implements Storage {
  async load(): Promise<undefined> {}
  async save(): Promise<void> {}
  async close(): Promise<void> {}
  async reopen(): Promise<void> {}
}
