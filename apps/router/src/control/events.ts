/** One event of the stream. */
export interface StreamEvent {
  /** Undefined for news that is worth nothing later, such as reports: those are never sent again. */
  readonly id: string | undefined;
  readonly type: "change" | "health" | "rollout" | "shadow" | "report";
  readonly data: object;
}

type Listener = (event: StreamEvent) => void;

/** How many events are kept for clients that come back. */
const KEPT = 1000;

/** Hands events to all who listen, and keeps the last ones for those who lost their connection. */
export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #boot: string;
  #kept: StreamEvent[] = [];
  #count = 0;

  /** @param boot tells this process's ids from those of the one before it */
  constructor(boot: string) {
    this.#boot = boot;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(type: "change" | "health" | "rollout" | "shadow", data: object): void {
    const event = { id: `${this.#boot}-${++this.#count}`, type, data };
    this.#kept = [...this.#kept, event].slice(-KEPT);
    this.#send(event);
  }

  /** Sends news to those who listen now, and to nobody later. */
  flash(type: "report", data: object): void {
    this.#send({ id: undefined, type, data });
  }

  #send(event: StreamEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /**
   * Hears every event from now on, and first those after `lastId`. An id that is too old, or another process's, gets all
   * that are kept: rather twice than never.
   * @returns what ends it
   */
  subscribe(listener: Listener, lastId?: string): () => void {
    if (lastId !== undefined) {
      const seen = this.#kept.findIndex(({ id }) => id === lastId);
      for (const event of this.#kept.slice(seen + 1)) listener(event);
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
