import { buildSnapshot } from "../core/build-snapshot.ts";
import type { RolloutView } from "../core/rollout/counting.ts";
import type { ShadowView } from "../core/shadow/view.ts";
import { type Health, hasAvailableTarget, type Snapshot } from "../core/snapshot.ts";
import type { RoutingState } from "../core/transitions.ts";
import { Retiring } from "./retiring.ts";

type Split = Snapshot["split"];

/** The routing state in force together with health, and the snapshot made of both. Only the store holds one. */
export class LiveTable {
  readonly #retiring = new Retiring();
  readonly #health = new Map<string, Health>();
  #routing: RoutingState;
  #split: Split;
  #rollout: RolloutView | undefined;
  #shadow: ShadowView | undefined;
  #snapshot: Snapshot;

  constructor(
    routing: RoutingState,
    split: Split,
    epoch: number,
    known: ReadonlyMap<string, Health> = new Map(),
  ) {
    this.#routing = routing;
    this.#split = split;
    for (const [url, health] of known) if (this.urls.includes(url)) this.#health.set(url, health);
    this.#snapshot = this.#build(epoch);
  }

  get routing(): RoutingState {
    return this.#routing;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Every URL that has to be checked: those of the state, and those that still serve for a successor. */
  get urls(): string[] {
    const { targets } = this.#routing;
    return [
      ...new Set(Object.keys(targets).flatMap((color) => [...targets[color]!, ...this.retiring(color)])),
    ];
  }

  retiring(color: string): readonly string[] {
    return this.#retiring.of(color);
  }

  isAvailable(color: string): boolean {
    const view = this.#snapshot.colors.find(({ name }) => name === color);
    return view !== undefined && hasAvailableTarget(view);
  }

  commit(routing: RoutingState): void {
    const before = this.#routing;
    this.#routing = routing;
    if (before.targets === routing.targets) return;
    this.#retiring.replaced(before.targets, routing.targets, this.#isUp);
    this.#forgetRemoved();
  }

  /** False when nothing changed, or nobody knows the URL. */
  setHealth(url: string, health: Health): boolean {
    if (!this.urls.includes(url) || this.#healthOf(url) === health) return false;
    this.#health.set(url, health);
    this.#retiring.settle(this.#routing.targets, this.#isUp);
    this.#forgetRemoved();
    return true;
  }

  setSplit(split: Split): boolean {
    if (split === this.#split) return false;
    this.#split = split;
    return true;
  }

  setRollout(rollout: RolloutView | undefined): void {
    this.#rollout = rollout;
  }

  /** The color that gets copies of requests; none if undefined. */
  setShadow(shadow: ShadowView | undefined): void {
    this.#shadow = shadow;
  }

  /** Makes the next snapshot of what is in force now, of the epoch `least` or a higher one. */
  advance(least = 0): Snapshot {
    this.#snapshot = this.#build(Math.max(least, this.#snapshot.epoch + 1));
    return this.#snapshot;
  }

  #build(epoch: number): Snapshot {
    return buildSnapshot({
      epoch,
      state: this.#routing,
      retiring: this.#retiring.all,
      health: (url) => this.#healthOf(url),
      split: this.#split,
      rollout: this.#rollout,
      shadow: this.#shadow,
    });
  }

  readonly #isUp = (url: string): boolean => this.#healthOf(url) === "up";

  #healthOf(url: string): Health {
    return this.#health.get(url) ?? "starting";
  }

  /** A target that comes back later starts unchecked. */
  #forgetRemoved(): void {
    const urls = new Set(this.urls);
    for (const url of this.#health.keys()) if (!urls.has(url)) this.#health.delete(url);
  }
}
