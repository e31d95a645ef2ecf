import type { Clock } from "../core/clock.ts";
import { opensOpenGate } from "../core/gate-commands.ts";
import { Refusal } from "../core/refusal.ts";
import type { RolloutView } from "../core/rollout/counting.ts";
import type { ShadowView } from "../core/shadow/view.ts";
import type { Health, Snapshot } from "../core/snapshot.ts";
import { type Command, type RoutingState, transition } from "../core/transitions.ts";
import { type HistoryEntry, type Meta, newEntry, remember } from "./history.ts";
import { LiveTable } from "./live-table.ts";
import type { Log } from "./log.ts";
import { digestOf, type SavedState } from "./saved-state.ts";
import { Saver } from "./saver.ts";
import type { Storage } from "./storage.ts";

/** A command that was carried out. */
export interface Applied {
  readonly before: RoutingState;
  readonly state: RoutingState;
  readonly snapshot: Snapshot;
  /** False when a rescue is in force but not on the disk yet; saving goes on. */
  readonly saved: boolean;
}

export interface StoreOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly split: Snapshot["split"];
  readonly fileDigest: string;
  readonly routing: RoutingState;
  /** Oldest first. */
  readonly history: readonly HistoryEntry[];
  /** No snapshot up to this one may be published. */
  readonly usedEpoch: number;
  /** What is known already of targets' health. Default: nothing. */
  readonly health?: ReadonlyMap<string, Health>;
}

/** Why a command is refused for the sake of somebody who moves weights at the moment; undefined lets it through. */
export type Lock = (command: Command, meta: Meta) => string | undefined;

/**
 * Whom commands have to ask: `open` carries them out; `held` refuses them, while another router may still take
 * everything back; `given` also lets nothing else change, because another router has the storage.
 */
type Mode = "open" | "held" | "given";

/** Epochs that may pass before a save must reserve more; each restart skips what is left of them. */
const EPOCHS_RESERVED = 1000;
/** How long the answer of a rescue waits for the disk, in milliseconds. */
const RESCUE_SAVE_WAIT = 2000;

const HANDING_OVER = "An upgrade is under way, and this change was not made: ask again in a second.";

type Listener<T> = (value: T) => void;

/**
 * The only writer of the routing state. A command is carried out whole or not at all, one after another: transition,
 * save, publish. A rollback publishes first, at once, even while another command waits for a slow disk.
 */
export class Store {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #saver: Saver;
  readonly #table: LiveTable;
  readonly #changeListeners: Listener<HistoryEntry>[] = [];
  readonly #snapshotListeners: Listener<Snapshot>[] = [];
  #fileDigest: string;
  #history: readonly HistoryEntry[];
  #reserved: number;
  #queue: Promise<unknown> = Promise.resolve();
  #mode: Mode = "open";
  #started = false;
  #lock: Lock = () => undefined;

  constructor(options: StoreOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#saver = new Saver(options.storage, options.clock, options.log, () =>
      this.#enqueue(() => this.#saveCurrent()),
    );
    this.#table = new LiveTable(options.routing, options.split, options.usedEpoch + 1, options.health);
    this.#fileDigest = options.fileDigest;
    this.#history = options.history;
    this.#reserved = options.usedEpoch;
  }

  /** What is in force, read-only: the routing state, health, and what is made of them. */
  get view(): Pick<LiveTable, "routing" | "snapshot" | "urls" | "retiring" | "isAvailable"> {
    return this.#table;
  }

  /** Oldest first. */
  get history(): readonly HistoryEntry[] {
    return this.#history;
  }

  /** Which colors the file named that is in force. */
  get fileDigest(): string {
    return this.#fileDigest;
  }

  /** Called with each entry of the history, after its snapshot was published. */
  onChange(listener: Listener<HistoryEntry>): void {
    this.#changeListeners.push(listener);
  }

  /** Called with every new snapshot. */
  onSnapshot(listener: Listener<Snapshot>): void {
    this.#snapshotListeners.push(listener);
  }

  /**
   * Saves what the router starts with and publishes the first snapshot. On a full disk it starts all the same and goes
   * on trying to save; any other error of the disk rejects.
   */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#saveCurrent()).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOSPC" && error.code !== "EDQUOT") throw error;
      this.#log.error(
        { error: error.code },
        "The disk is full: starting with a state that cannot be saved yet.",
      );
      this.#saver.keepTrying();
    });
    this.#started = true;
    this.#publish();
  }

  /** @throws Refusal nothing has changed, neither in force nor on the disk */
  apply(command: Command, meta: Meta): Promise<Applied> {
    if (this.#mode !== "open") return Promise.reject(new Refusal("handing_over", HANDING_OVER));
    if (opensOpenGate(this.#table.routing, command)) return this.#openAgain(command, meta);
    if (command.kind === "rollback" || command.kind === "resume" || meta.rescue)
      return this.#rescue(command, meta);
    return this.#enqueue(() => this.#saveThenPublish(command, meta));
  }

  /** Nobody waits behind an open gate, so nothing changes, and what is being saved is not overtaken. It may be a pause: that is ended. */
  async #openAgain(command: Command, meta: Meta): Promise<Applied> {
    await this.#queue;
    const { routing, snapshot } = this.#table;
    if (!opensOpenGate(routing, command)) return this.apply(command, meta);
    this.#mustAccept(meta, routing);
    return { before: routing, state: routing, snapshot, saved: true };
  }

  async #saveThenPublish(command: Command, meta: Meta): Promise<Applied> {
    const before = this.#table.routing;
    this.#mustAccept(meta, before);
    const locked = this.#lock(command, meta);
    if (locked !== undefined) throw new Refusal("rollout_runs", locked);
    const state = transition(before, command, this.#table);
    const entry = newEntry(before, state, command, meta, this.#clock.now());
    const history = remember(this.#history, entry, this.#clock.now());
    const fileDigest = command.kind === "reload" ? digestOf(command.file) : this.#fileDigest;
    await this.#saveOrRefuse({ ...this.#toSave(), routing: state, history, fileDigest });
    if (this.#table.routing !== before) {
      // its own save waits in the queue and takes this one off the disk again
      throw new Refusal(
        "overtaken",
        "A rollback or a resume came in while this change was being saved; the change was dropped.",
      );
    }
    this.#fileDigest = fileDigest;
    return { before, state, saved: true, snapshot: this.#commit(state, history, entry) };
  }

  #mustAccept({ accepts }: Meta, { revision }: RoutingState): void {
    if (accepts?.(revision) === false)
      throw new Refusal("revision_changed", `The revision is ${revision} now; read the state again.`);
  }

  async #saveOrRefuse(state: SavedState): Promise<void> {
    try {
      await this.#saver.save(state);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#log.error({ error: code }, "A change was refused because it could not be saved.");
      throw new Refusal("not_saved", `The change could not be saved (${code}), so nothing was changed.`);
    }
  }

  /** Publishes before it saves, and before whatever waits: neither a full nor a hanging disk holds back a rescue. */
  async #rescue(command: Command, meta: Meta): Promise<Applied> {
    const before = this.#table.routing;
    if (command.kind !== "rollback") this.#mustAccept(meta, before);
    const state = transition(before, command, this.#table);
    const entry = newEntry(before, state, command, meta, this.#clock.now());
    const history = remember(this.#history, entry, this.#clock.now());
    const snapshot = this.#commit(state, history, entry);
    const saving = this.#enqueue(() => this.#saveCurrent()).then(
      () => true,
      (error: unknown) => {
        this.#log.error(
          { error: String(error) },
          `A ${command.kind} is in force, but could not be saved yet.`,
        );
        this.#saver.keepTrying();
        return false;
      },
    );
    return { before, state, snapshot, saved: await this.#within(RESCUE_SAVE_WAIT, saving) };
  }

  #within(ms: number, saving: Promise<boolean>): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(false));
      void saving.then((saved) => {
        cancel();
        resolve(saved);
      });
    });
  }

  #commit(state: RoutingState, history: readonly HistoryEntry[], entry: HistoryEntry): Snapshot {
    this.#table.commit(state);
    this.#history = history;
    const snapshot = this.#publish();
    this.#log.info(
      { ...entry, epoch: snapshot.epoch },
      `Change ${entry.revision}: ${entry.kind} by ${entry.who}`,
    );
    for (const listener of this.#changeListeners) listener(entry);
    return snapshot;
  }

  /** Health is no administrator's change: it raises the epoch only, and nothing is saved. Unknown URLs are ignored. */
  setHealth(url: string, health: Health): void {
    if (this.#mode === "given") return;
    if (this.#table.setHealth(url, health)) this.#publish();
  }

  /** How requests are drawn, after the file was read again. */
  setSplit(split: Snapshot["split"]): void {
    if (this.#mode === "given") return;
    if (this.#table.setSplit(split)) this.#publish();
  }

  /** The rollout that runs, and what is counted for it: part of every snapshot from now on. No administrator's change. */
  setRollout(rollout: RolloutView | undefined): void {
    if (this.#mode === "given") return;
    this.#table.setRollout(rollout);
    if (this.#started) this.#publish();
  }

  /** Asked before every command but a rescue, in its turn. There is one, a rollout's. */
  lockBy(lock: Lock): void {
    this.#lock = lock;
  }

  /** The color that gets copies of requests; none if undefined. */
  setShadow(shadow: ShadowView | undefined): void {
    if (this.#mode === "given") return;
    this.#table.setShadow(shadow);
    if (this.#started) this.#publish();
  }

  /** @throws Refusal another program is taking this router's place */
  mustBeOpen(): void {
    if (this.#mode !== "open") throw new Refusal("handing_over", HANDING_OVER);
  }

  /** @param least the snapshot's epoch is this one, or higher */
  #publish(least = 0): Snapshot {
    const snapshot = this.#table.advance(least);
    // health changes use up epochs without a save, so more are reserved long before they run out
    if (snapshot.epoch > this.#reserved - EPOCHS_RESERVED / 2) this.#reserve(snapshot.epoch);
    for (const listener of this.#snapshotListeners) listener(snapshot);
    return snapshot;
  }

  #reserve(epoch: number): void {
    this.#reserved = epoch + EPOCHS_RESERVED;
    this.#enqueue(() => this.#saveCurrent()).catch(() => this.#saver.keepTrying());
  }

  /** Runs after all that was asked for before, whether that went well or not. */
  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => {});
    return result;
  }

  #saveCurrent(): Promise<void> {
    return this.#saver.save(this.#toSave());
  }

  #toSave(): SavedState {
    const { routing, snapshot } = this.#table;
    this.#reserved = Math.max(this.#reserved, snapshot.epoch + EPOCHS_RESERVED);
    return { reservedEpoch: this.#reserved, fileDigest: this.#fileDigest, routing, history: this.#history };
  }

  /** Refuses commands until {@link open}: the router before this one may still take everything back. */
  hold(): void {
    this.#mode = "held";
  }

  open(): void {
    this.#mode = "open";
  }

  /** Finishes what is under way and gives the storage away. Resolves with what was in force last. */
  async give(): Promise<SavedState> {
    this.#mode = "given";
    await this.#queue;
    await this.#saver.close();
    return this.#toSave();
  }

  /**
   * After {@link give}: has the storage again. Whoever had it meanwhile may have published epochs, so these are skipped.
   * @throws StartError somebody else has it
   */
  async takeBack(): Promise<void> {
    await this.#saver.reopen();
    this.#mode = "open";
    this.#reserved += 2 * EPOCHS_RESERVED;
    this.#publish(this.#reserved);
  }

  /** Waits for what is under way, tries once more if something is owed, and gives the storage back. */
  async close(): Promise<void> {
    if (this.#mode === "given") return;
    await this.#queue;
    await this.#saver.close();
  }
}
