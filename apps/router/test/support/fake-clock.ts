import type { Clock } from "../../src/core/clock.ts";

/** For tests of the control plane only. */

/** Lets everything that only waits for promises, timers of the machine apart, go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

const EPOCH = Date.parse("2026-11-21T12:00:00Z");

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = EPOCH;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  ticks(): number {
    return this.#now - EPOCH;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Moves time and fires what is due, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
    await settle();
  }
}
