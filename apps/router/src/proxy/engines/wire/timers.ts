/** Something that may wait for one thing at a time. */
export interface Timed {
  /** Owned by the queue that it waits in. */
  queue: TimerQueue | undefined;
  deadline: number;
  earlier: Timed | undefined;
  later: Timed | undefined;
  /** Its time is up; it is in no queue any more. */
  onTimeout(queue: TimerQueue): void;
}

/**
 * All that wait equally long, in the order in which they began: to wait, to wait anew and to stop are a few assignments,
 * and only the oldest is ever looked at. So a request costs no timer of its own.
 */
export class TimerQueue {
  #milliseconds: number;
  #oldest: Timed | undefined;
  #newest: Timed | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Also for those who wait already: their order stays. */
  setMilliseconds(milliseconds: number): void {
    const more = milliseconds - this.#milliseconds;
    this.#milliseconds = milliseconds;
    if (more === 0) return;
    for (let timed = this.#oldest; timed; timed = timed.later) timed.deadline += more;
  }

  /** Begins to wait, or begins anew; leaves any other queue. */
  add(timed: Timed, now: number): void {
    timed.queue?.remove(timed);
    timed.queue = this;
    timed.deadline = now + this.#milliseconds;
    timed.earlier = this.#newest;
    if (this.#newest) this.#newest.later = timed;
    else this.#oldest = timed;
    this.#newest = timed;
  }

  /** For {@link stopWaiting}. */
  remove(timed: Timed): void {
    if (timed.earlier) timed.earlier.later = timed.later;
    else this.#oldest = timed.later;
    if (timed.later) timed.later.earlier = timed.earlier;
    else this.#newest = timed.earlier;
    timed.queue = undefined;
    timed.earlier = undefined;
    timed.later = undefined;
  }

  expire(now: number): void {
    for (let timed = this.#oldest; timed && timed.deadline <= now; timed = this.#oldest) {
      this.remove(timed);
      timed.onTimeout(this);
    }
  }
}

export function stopWaiting(timed: Timed): void {
  timed.queue?.remove(timed);
}

/** The queues of one engine, looked at by one timer. */
export class Timers {
  readonly clientHeader: TimerQueue;
  readonly clientBody: TimerQueue;
  readonly keepalive: TimerQueue;
  readonly connect: TimerQueue;
  readonly responseHeader: TimerQueue;
  readonly streamIdle: TimerQueue;
  /** Of a connection to a target that may serve again. */
  readonly pooled: TimerQueue;
  /** Of a client connection that we have closed. */
  readonly linger: TimerQueue;
  readonly #all: readonly TimerQueue[];
  readonly #now: () => number;
  #timer: NodeJS.Timeout;

  constructor(timeouts: TimeoutSettings, now: () => number) {
    this.clientHeader = new TimerQueue(timeouts.client_header);
    this.clientBody = new TimerQueue(timeouts.client_body);
    this.keepalive = new TimerQueue(timeouts.keepalive);
    this.connect = new TimerQueue(timeouts.connect);
    this.responseHeader = new TimerQueue(timeouts.response_header);
    this.streamIdle = new TimerQueue(timeouts.stream_idle);
    this.pooled = new TimerQueue(POOLED);
    this.linger = new TimerQueue(LINGER);
    this.#all = Object.values(this).filter((each) => each instanceof TimerQueue);
    this.#now = now;
    this.#timer = this.#start();
  }

  /** Other time-outs, also for what waits already. */
  follow(timeouts: TimeoutSettings): void {
    this.clientHeader.setMilliseconds(timeouts.client_header);
    this.clientBody.setMilliseconds(timeouts.client_body);
    this.keepalive.setMilliseconds(timeouts.keepalive);
    this.connect.setMilliseconds(timeouts.connect);
    this.responseHeader.setMilliseconds(timeouts.response_header);
    this.streamIdle.setMilliseconds(timeouts.stream_idle);
    clearInterval(this.#timer);
    this.#timer = this.#start();
  }

  #start(): NodeJS.Timeout {
    const shortest = Math.min(...this.#all.map((queue) => queue.milliseconds));
    const timer = setInterval(() => this.expire(this.#now()), Math.min(Math.max(shortest / 10, 5), 100));
    return timer.unref();
  }

  expire(now: number): void {
    for (const queue of this.#all) queue.expire(now);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export interface TimeoutSettings {
  readonly client_header: number;
  readonly client_body: number;
  readonly keepalive: number;
  readonly connect: number;
  readonly response_header: number;
  readonly stream_idle: number;
}

/** Common servers close idle connections after 5 s (Node, uvicorn); going first avoids most races. */
const POOLED = 4000;
/**
 * How long a connection that we have closed is still read. To close a socket with unread bytes resets it, and a reset
 * can overtake our last answer (RFC 9112 section 9.6).
 */
const LINGER = 2000;
