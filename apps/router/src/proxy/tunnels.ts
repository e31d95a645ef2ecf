import type { Target } from "../targets/target.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";

/** An answer that lasts for as long as both sides like: a WebSocket, or a stream of events. */
export interface LongAnswer {
  readonly color: LiveColor;
  readonly target: Target;
  /** An override named its color, so weights do not concern it. */
  readonly overridden: boolean;
  /** Ends it in an orderly way. */
  readonly end: () => void;
}

interface Entry {
  /** When its color lost all weight, or its target was taken out; undefined: neither. */
  leavingSince: number | undefined;
  asked: boolean;
}

/**
 * The answers that may outlive a flip. Each is asked to end `timeouts.tunnel_drain` after its color has lost all weight or
 * its target was taken out of it; a color that gets weight again keeps what is left.
 */
export class Tunnels {
  readonly #plane: DataPlane;
  readonly #all = new Map<LongAnswer, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  add(answer: LongAnswer): void {
    const entry = { leavingSince: undefined, asked: false };
    this.#all.set(answer, entry);
    answer.color.counters.tunnels++;
    // not at once: whoever adds it is not ready to end it yet
    if (this.#over || isLeaving(answer)) process.nextTick(() => (this.#over ? this.endAll() : this.review()));
  }

  remove(answer: LongAnswer): void {
    if (this.#all.delete(answer)) answer.color.counters.tunnels--;
  }

  /** Looks at all again: after each snapshot, and after another configuration. */
  review(): void {
    const now = this.#plane.now();
    const { tunnel_drain } = this.#plane.config.timeouts;
    clearTimeout(this.#timer);
    let next = Number.POSITIVE_INFINITY;
    for (const [answer, entry] of [...this.#all]) {
      if (entry.asked) continue;
      entry.leavingSince = isLeaving(answer) ? (entry.leavingSince ?? now) : undefined;
      if (entry.leavingSince === undefined || tunnel_drain === undefined) continue;
      const left = entry.leavingSince + tunnel_drain - now;
      if (left <= 0) this.#end(answer, entry);
      else next = Math.min(next, left);
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.review(), next).unref();
  }

  /** The engine is about to end: all are asked, and so is whatever still comes. */
  endAll(): void {
    this.#over = true;
    for (const [answer, entry] of [...this.#all]) this.#end(answer, entry);
  }

  #end(answer: LongAnswer, entry: Entry): void {
    if (entry.asked) return;
    entry.asked = true;
    answer.end();
  }
}

function isLeaving({ color, target, overridden }: LongAnswer): boolean {
  return !overridden && (color.share === 0 || !color.targets.includes(target));
}
