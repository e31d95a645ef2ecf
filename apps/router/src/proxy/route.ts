import type { Target } from "../targets/target.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";
import { TargetChoice } from "./target-choice.ts";

/**
 * Where one request is, beside where it can still go. Each color that it is at holds it in flight, and must not be stopped
 * under it: the assigned one until the end, another one while that answers for it or has its second attempt.
 */
export class Route extends TargetChoice {
  /** How many targets it was sent to. */
  attempts = 0;
  #answering: LiveColor | undefined;
  /** Another color than these two that a second attempt is at. */
  #hedging: LiveColor | undefined;

  constructor(plane: DataPlane, assigned: LiveColor, key: string | undefined, failover: boolean) {
    super(plane, assigned, key, failover);
    assigned.counters.inFlight++;
  }

  /** The color that answers, or that is being tried; undefined before any attempt. */
  get answering(): LiveColor | undefined {
    return this.#answering;
  }

  /** Goes to the next target; undefined where none is left. */
  advance(): Target | undefined {
    const picked = this.next();
    if (picked === undefined) return undefined;
    this.attempts++;
    this.#moveTo(this.plane.colors[picked.color]!);
    return picked;
  }

  /** Goes to a fresh target as well, which there has to be. It is in two places until one of the two attempts is over. */
  branch(): Target {
    const picked = this.nextFresh()!;
    const color = this.plane.colors[picked.color]!;
    color.counters.hedges++;
    this.attempts++;
    if (color !== this.assigned && color !== this.#answering) {
      this.#hedging = color;
      color.counters.inFlight++;
    }
    return picked;
  }

  /** The second attempt, at this color, takes the first one's place. */
  stayAtBranch(color: LiveColor): void {
    if (color !== this.#answering) this.#dropForeign();
    this.#answering = color;
    this.#hedging = undefined;
  }

  /** The second attempt is out of the race, if there was one. */
  leaveBranch(): void {
    if (this.#hedging !== undefined) this.#drop(this.#hedging);
    this.#hedging = undefined;
  }

  /** No color holds it in flight any more. To be called once. */
  leave(): void {
    this.leaveBranch();
    this.#dropForeign();
    this.#drop(this.assigned);
  }

  #moveTo(color: LiveColor): void {
    if (this.#answering === color) return;
    this.#dropForeign();
    this.#answering = color;
    if (color === this.assigned) return;
    color.counters.inFlight++;
    this.assigned.counters.failedOver(color.name);
  }

  #dropForeign(): void {
    if (this.#answering !== undefined && this.#answering !== this.assigned) this.#drop(this.#answering);
  }

  #drop(color: LiveColor): void {
    color.counters.inFlight--;
    if (color.counters.inFlight === 0 && color.share === 0) this.plane.onUrgent();
  }
}
