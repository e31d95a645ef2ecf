import type { Dialer } from "../../targets/dialer.ts";
import type { Target } from "../../targets/target.ts";
import { Head } from "../engines/wire/head.ts";
import { CopyConnection, type Shared } from "./copy-connection.ts";

const READ_BUFFER = 64 * 1024;
/** Milliseconds that a connection may be idle; common servers close it after 5 s, and going first avoids most races. */
const IDLE = 4000;
const SWEEP = 500;

/** A shadow's own connections to its targets: the main path has no part in them. */
export class CopyConnections implements Shared {
  readonly dialer: Dialer;
  readonly head = new Head();
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER);
  readonly #all = new Set<CopyConnection>();
  /** The one used last comes last, and is taken first: the others may then grow old and go. */
  readonly #idle = new Map<Target, CopyConnection[]>();

  /** While one is idle. */
  #sweeper: NodeJS.Timeout | undefined;

  constructor(dialer: Dialer) {
    this.dialer = dialer;
  }

  /** A connection to the target; a new one where none is idle, or where `fresh` asks for it. */
  take(target: Target, fresh: boolean): CopyConnection {
    const kept = fresh ? undefined : this.#idle.get(target)?.pop();
    if (kept !== undefined) return kept;
    const connection = new CopyConnection(this, target);
    this.#all.add(connection);
    return connection;
  }

  /** The answer has been read whole: the connection is kept if it can be. */
  put(connection: CopyConnection): void {
    if (!connection.reusable) return connection.destroy();
    const { target } = connection;
    connection.idleSince = performance.now();
    const idle = this.#idle.get(target);
    if (idle === undefined) this.#idle.set(target, [connection]);
    else idle.push(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP).unref();
  }

  #sweep(): void {
    const since = performance.now() - IDLE;
    for (const idle of [...this.#idle.values()])
      for (const connection of [...idle]) if (connection.idleSince <= since) connection.destroy();
    if (this.#idle.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  forget(connection: CopyConnection): void {
    this.#all.delete(connection);
    const { target } = connection;
    const left = this.#idle.get(target)?.filter((each) => each !== connection);
    if (left === undefined) return;
    if (left.length === 0) this.#idle.delete(target);
    else this.#idle.set(target, left);
  }

  destroy(): void {
    for (const connection of [...this.#all]) connection.destroy();
    this.#rest();
  }
}
