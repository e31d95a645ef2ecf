import type { FileColors } from "../core/transitions.ts";
import type { ReleaseRecord } from "./rollout/record.ts";
import { DamagedError, deserialize, NewerSchemaError, type SavedState } from "./saved-state.ts";
import { StartError } from "./start-error.ts";
import type { KnownTarget } from "./target-watch.ts";

/** What one control plane hands to the next, as plain JSON: the two may be of different versions. */
export interface HandedState {
  /** As the state file has it, also where no file is kept. */
  readonly state: string;
  readonly health: readonly KnownTarget[];
  /** Changes of weight that were counted, by kind. */
  readonly weightChanges: Readonly<Record<string, number>>;
  /** The rollout and its evidence, as their file has them; absent from a router that knows none. */
  readonly rollouts?: string;
  /** The shadow and its pairs, as their file has them. */
  readonly shadow?: string;
  /** Records of releases, where no folder keeps them. */
  readonly releases?: readonly ReleaseRecord[];
}

/** @throws StartError this router cannot read the other's state */
export function readHanded(text: string, file: FileColors): SavedState {
  try {
    return deserialize(text, file);
  } catch (error) {
    if (error instanceof NewerSchemaError || error instanceof DamagedError)
      throw new StartError(`The state that the running router hands over ${error.message}.`);
    throw error;
  }
}
