import { SUSPECT_FLOOR, SUSPECT_WAITING, silenceAllowed } from "../core/suspect.ts";
import type { Target } from "../targets/target.ts";
import type { DataPlane } from "./data-plane.ts";
import type { LiveColor } from "./live-color.ts";

/** How often silent targets are looked for while enough requests wait somewhere, in milliseconds. */
const SWEEP_INTERVAL = 20;

/** The rule for silent targets: who is suspect, and what then becomes of the requests that wait there. */
export class Suspects {
  readonly #plane: Pick<DataPlane, "colors" | "now">;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(plane: Pick<DataPlane, "colors" | "now">) {
    this.#plane = plane;
  }

  isSuspect(target: Target): boolean {
    if (target.waiting < SUSPECT_WAITING) return false;
    const now = this.#plane.now();
    const silence = target.silence(now);
    return silence >= SUSPECT_FLOOR && silence >= this.#silenceAllowed(target.color, now);
  }

  /** Looks for silent targets as long as enough requests wait at one. */
  watch(target: Target): void {
    if (target.waiting < SUSPECT_WAITING || this.#sweeper) return;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_INTERVAL);
    this.#sweeper.unref();
  }

  /** Moves what waits at suspects. Public for tests with a clock of their own. */
  sweep(): void {
    let watched = false;
    for (const color of this.#plane.colors) {
      for (const target of color.targets) {
        if (target.waiting >= SUSPECT_WAITING) watched = true;
        if (this.isSuspect(target)) moveWaiters(target);
      }
    }
    if (watched) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #silenceAllowed(color: number, now: number): number {
    const { colors } = this.#plane;
    let slowest: number | undefined;
    for (const other of colors) {
      if (other.index === color) continue;
      const p95 = other.latency.p95(now);
      if (p95 !== undefined && (slowest === undefined || p95 > slowest)) slowest = p95;
    }
    return silenceAllowed(colors[color]!.latency.p95(now), slowest);
  }
}

/** What waits at targets that are down goes elsewhere. */
export function leaveDownTargets(colors: readonly LiveColor[]): void {
  for (const { targets } of colors) {
    for (const target of targets) if (target.health === "down") moveWaiters(target);
  }
}

function moveWaiters(target: Target): void {
  for (const lease of target.waiters()) lease.waiter.stalled(lease);
}
