import { EventLane, LAST_EVENT } from "./event-stream.ts";

/** A stream of events on its way to a client. */
export class StreamedEvents {
  readonly #lane = new EventLane();
  /** The answer is to be ended now; called at most once, after {@link end}. */
  onOver: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  /** Bytes from the target. @returns what the client gets of them; ask {@link settle} once it has got it */
  pass(bytes: Buffer): Buffer {
    return this.#lane.pass(bytes);
  }

  /** Ends the stream after the event that is under way, or after {@link LAST_EVENT} in the middle of it. */
  end(): void {
    this.#lane.end();
    this.#timer = setTimeout(() => this.#over(), LAST_EVENT).unref();
    this.settle();
  }

  settle(): void {
    if (this.#timer !== undefined && this.#lane.over) this.#over();
  }

  /** The answer has ended by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #over(): void {
    this.stop();
    this.onOver();
  }
}
