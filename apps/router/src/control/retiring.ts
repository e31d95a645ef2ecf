import type { TargetLists } from "../core/transitions.ts";

/**
 * Targets that were replaced while they served. A switch is healthy → swap → drain: they stay in the snapshot until one
 * of their successors is up, so a replacement that never gets healthy leaves the old ones serving.
 */
export class Retiring {
  readonly #byColor = new Map<string, readonly string[]>();

  get all(): ReadonlyMap<string, readonly string[]> {
    return this.#byColor;
  }

  of(color: string): readonly string[] {
    return this.#byColor.get(color) ?? [];
  }

  /** Takes note of what changed between two sets of targets. A color emptied on purpose keeps nothing. */
  replaced(before: TargetLists, after: TargetLists, isUp: (url: string) => boolean): void {
    for (const [color, targets] of Object.entries(after)) {
      const old = [...before[color]!, ...this.of(color)];
      const gone = old.filter((url) => !targets.includes(url) && isUp(url));
      this.#byColor.set(color, targets.length === 0 ? [] : [...new Set(gone)]);
    }
    this.settle(after, isUp);
  }

  /** Lets go of what is no longer needed. */
  settle(targets: TargetLists, isUp: (url: string) => boolean): void {
    for (const [color, retiring] of [...this.#byColor]) {
      const serving = retiring.filter(isUp);
      if (serving.length === 0 || targets[color]!.some(isUp)) this.#byColor.delete(color);
      else this.#byColor.set(color, serving);
    }
  }
}
