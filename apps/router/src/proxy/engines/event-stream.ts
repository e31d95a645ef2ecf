/** The type of server-sent events (WHATWG HTML section 9.2); parameters may follow. */
const TYPE = /^text\/event-stream[\t ]*(?:;|$)/i;
/** Where an empty line has just ended an event. Lines end with LF, CR or both. */
const AT_END = /(?:\n\n|\r\r|\n\r|\n\r\n|\r\r\n)$/;
const EMPTY_LINE = /\r\n\r\n|\n\n|\r\r\n?|\n\r\n?/;
/** As many bytes as one needs to know where one is. */
const LOOK_BACK = 3;

/** Milliseconds that an event under way has to end once the stream is to. */
export const LAST_EVENT = 1000;

export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && TYPE.test(contentType);
}

/** A stream of events as a proxy passes it on: it can be ended between two of them, so that clients connect anew. */
export class EventLane {
  #tail = "";
  #ending = false;
  #over = false;

  /** Nothing more is passed on: the stream is to be ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Bytes from the target. @returns what the client gets of them */
  pass(bytes: Buffer): Buffer {
    if (this.#over) return bytes.subarray(0, 0);
    if (this.#ending) return this.#passToEnd(bytes);
    const last = bytes.toString("latin1", Math.max(0, bytes.length - LOOK_BACK));
    this.#tail = (this.#tail + last).slice(-LOOK_BACK);
    return bytes;
  }

  /** Ends the stream as soon as no event is under way; look at {@link over}. */
  end(): void {
    this.#ending = true;
    this.#over = this.#tail === "" || AT_END.test(this.#tail);
  }

  #passToEnd(bytes: Buffer): Buffer {
    const before = this.#tail.length;
    const text = this.#tail + bytes.toString("latin1");
    const found = EMPTY_LINE.exec(text);
    this.#tail = text.slice(-LOOK_BACK);
    if (found === null) return bytes;
    this.#over = true;
    return bytes.subarray(0, Math.max(0, found.index + found[0].length - before));
  }
}
