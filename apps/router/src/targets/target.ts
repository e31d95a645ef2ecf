import type { Health } from "../core/snapshot.ts";
import { type TargetProtocol, targetAddress } from "../core/target-address.ts";

/**
 * One address of a color as the data plane knows it: its health from the newest snapshot, what is in flight there, and
 * how long it has been silent.
 */
export class Target {
  readonly url: string;
  readonly color: number;
  readonly protocol: TargetProtocol;
  readonly host: string;
  readonly port: number;
  /** What the `Host` of a check and of a rewritten request says. */
  readonly authority: string;
  health: Health = "starting";
  inFlight = 0;
  passes = 0;
  errors = 0;
  #waiting = 0;
  #lastByte = Number.NEGATIVE_INFINITY;
  #oldest: Lease | undefined;
  #newest: Lease | undefined;

  /** @param color index of the color that it belongs to. */
  constructor(url: string, color: number) {
    const { protocol, host, port, authority } = targetAddress(url);
    this.color = color;
    this.url = url;
    this.protocol = protocol;
    this.host = host;
    this.port = port;
    this.authority = authority;
  }

  get available(): boolean {
    return this.health === "up";
  }

  /** Requests that were sent here and of whose answers not a byte has come. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a place at this target. Whoever claims releases the lease exactly once, in `finally`. */
  claim(now: number, waiter: Waiter): Lease {
    const lease = new Lease(this, now, waiter);
    this.inFlight++;
    this.#link(lease);
    return lease;
  }

  /** Milliseconds since its last byte, or since the oldest waiting request was sent, whichever is less; 0 if none waits. */
  silence(now: number): number {
    if (this.#oldest === undefined) return 0;
    return now - Math.max(this.#lastByte, this.#oldest.claimedAt);
  }

  /** Those who wait here for a first byte, oldest first. */
  waiters(): Lease[] {
    const all: Lease[] = [];
    for (let lease = this.#oldest; lease !== undefined; lease = lease.next) all.push(lease);
    return all;
  }

  /** For {@link Lease} only. */
  heard(now: number): void {
    this.#lastByte = now;
  }

  /** For {@link Lease} only. */
  begun(lease: Lease): void {
    this.#unlink(lease);
  }

  /** For {@link Lease} only. */
  free(lease: Lease): void {
    this.inFlight--;
    this.#unlink(lease);
  }

  #link(lease: Lease): void {
    lease.previous = this.#newest;
    if (this.#newest) this.#newest.next = lease;
    else this.#oldest = lease;
    this.#newest = lease;
    lease.linked = true;
    this.#waiting++;
  }

  #unlink(lease: Lease): void {
    if (!lease.linked) return;
    lease.linked = false;
    this.#waiting--;
    if (lease.previous) lease.previous.next = lease.next;
    else this.#oldest = lease.next;
    if (lease.next) lease.next.previous = lease.previous;
    else this.#newest = lease.previous;
    lease.previous = undefined;
    lease.next = undefined;
  }
}

/** Who holds a lease, and can be asked to take its request elsewhere. */
export interface Waiter {
  /**
   * The target fell silent or its checks declared it down. The holder sends the request elsewhere if it may be repeated
   * and there is an elsewhere; what was sent here stays open until it ends, so that its first byte can clear the target.
   */
  stalled(lease: Lease): void;
}

/** One attempt's place at a target. */
export class Lease {
  readonly target: Target;
  readonly claimedAt: number;
  /** When the request began to be sent: later than `claimedAt` where a connection had to be made first. */
  sentAt: number;
  readonly waiter: Waiter;
  /** Links of the target's list of those who wait; owned by {@link Target}. */
  previous: Lease | undefined;
  next: Lease | undefined;
  /** Still waiting for a first byte. */
  linked = false;
  #released = false;

  constructor(target: Target, now: number, waiter: Waiter) {
    this.target = target;
    this.claimedAt = now;
    this.sentAt = now;
    this.waiter = waiter;
  }

  /** The first byte of an answer has come: nobody waits here any more, and the target is not silent. */
  firstByte(now: number): void {
    this.heard(now);
    this.target.begun(this);
  }

  /** Some further byte has come: the target is not silent, whoever else waits there. */
  heard(now: number): void {
    this.target.heard(now);
  }

  /** Gives the place back; a second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.target.free(this);
  }
}
