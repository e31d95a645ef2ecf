import { chooseFailover } from "../core/choose-color.ts";
import { NO_COLOR } from "../core/pick-color.ts";
import { pickTarget } from "../core/pick-target.ts";
import type { Target } from "../targets/target.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";

/** Which targets an attempt may go to; each step is taken only when the one before found nothing. */
type Reach = "fresh" | "suspects" | "tried";
const WIDENING: readonly Reach[] = ["fresh", "suspects", "tried"];

/** Health picks a target once weight has picked the color: one request's view of where it can still go. */
export class TargetChoice {
  protected readonly plane: DataPlane;
  protected readonly assigned: LiveColor;
  readonly #key: string | undefined;
  readonly #failover: boolean;
  #last: Target | undefined;
  /** Those tried before the last; most requests need none. */
  #earlier: Target[] | undefined;

  constructor(plane: DataPlane, assigned: LiveColor, key: string | undefined, failover: boolean) {
    this.plane = plane;
    this.assigned = assigned;
    this.#key = key;
    this.#failover = failover;
  }

  /** The target of the newest attempt. */
  get last(): Target | undefined {
    return this.#last;
  }

  /**
   * The less loaded of two random targets of the assigned color, else of the color that it fails over to. Suspects are
   * taken when nothing else is left, and a target that this request has already tried after that.
   */
  next(): Target | undefined {
    for (const reach of WIDENING) {
      const picked = this.#pick(reach);
      if (picked) return this.#remember(picked);
    }
    return undefined;
  }

  /** A target that is neither suspect nor tried, or none. */
  nextFresh(): Target | undefined {
    const picked = this.#pick("fresh");
    return picked && this.#remember(picked);
  }

  /** Whether a target that is neither suspect nor tried could take the request. */
  hasFresh(): boolean {
    return this.#reaches("fresh");
  }

  hasAny(): boolean {
    return this.#reaches("tried");
  }

  #pick(reach: Reach): Target | undefined {
    // A color emptied since the first attempt is about to be stopped, and its other targets with it.
    const emptied = this.#last !== undefined && this.assigned.share === 0;
    if (emptied) return this.#elsewhere(reach) ?? this.#own(reach);
    return this.#own(reach) ?? this.#elsewhere(reach);
  }

  #own(reach: Reach): Target | undefined {
    return pickTarget(this.#candidates(this.assigned, reach), this.plane.random);
  }

  #elsewhere(reach: Reach): Target | undefined {
    if (!this.#failover) return undefined;
    const { table, draws, colors, random } = this.plane;
    const usable = (color: number) => this.#candidates(colors[color]!, reach).length > 0;
    const other = chooseFailover(table, this.assigned.index, this.#key, draws, usable);
    return other === NO_COLOR ? undefined : pickTarget(this.#candidates(colors[other]!, reach), random);
  }

  #reaches(reach: Reach): boolean {
    if (this.#candidates(this.assigned, reach).length > 0) return true;
    if (!this.#failover) return false;
    const { weights, standby } = this.plane.table;
    return this.plane.colors.some(
      (color, i) => (weights[i]! > 0 || i === standby) && this.#candidates(color, reach).length > 0,
    );
  }

  /** The color's own list where every target fits, so that the common case copies nothing. */
  #candidates(color: LiveColor, reach: Reach): readonly Target[] {
    const { targets } = color;
    for (let i = 0; i < targets.length; i++) {
      if (!this.#fits(targets[i]!, reach)) return targets.filter((each) => this.#fits(each, reach));
    }
    return targets;
  }

  #fits(target: Target, reach: Reach): boolean {
    if (!target.available) return false;
    if (reach === "tried") return true;
    if (target === this.#last || this.#earlier?.includes(target)) return false;
    return reach === "suspects" || !this.plane.suspects.isSuspect(target);
  }

  #remember(picked: Target): Target {
    if (this.#last) this.#earlier = [...(this.#earlier ?? []), this.#last];
    this.#last = picked;
    return picked;
  }
}
