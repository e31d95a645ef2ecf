import type { Clock } from "../core/clock.ts";
import type { Gate } from "../core/gate.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** Who ends a pause that nobody has ended. */
const WHO = "the pause's time-out";
/** Milliseconds until it is tried again, while an upgrade holds commands back. */
const TRY_AGAIN = 1000;

/** Ends a pause by itself when its time is over, also one that a restart has outlived. */
export class GateKeeper {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  #watched: Gate | undefined;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    store.onSnapshot(() => this.#watch());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #watch(): void {
    const { gate } = this.#store.view.routing;
    if (gate === this.#watched) return;
    this.#watched = gate;
    this.#cancel();
    if (gate?.kind === "pause") this.#after(Math.max(0, gate.until - this.#clock.now()), gate);
  }

  #after(ms: number, gate: Gate): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(ms, () => void this.#resume(gate));
  }

  async #resume(gate: Gate): Promise<void> {
    if (this.#store.view.routing.gate !== gate) return;
    this.#log.warn({}, "Nobody has ended the pause within its time: requests go on.");
    const command = { kind: "resume", force: true } as const;
    await this.#store
      .apply(command, { who: WHO, why: "nobody had ended the pause" })
      .catch(() => this.#after(TRY_AGAIN, gate));
  }
}
