import type { Target } from "../../../targets/target.ts";
import { Http1Face } from "../h2/upstream/http1-face.ts";
import type { Engine } from "./engine-parts.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** A request that may not be repeated takes only a connection that was in use so lately, in milliseconds. */
const JUST_USED = 1000;
/** Idle connections that are kept for one target. */
const MOST_IDLE = 1024;

/** Idle connections by target, the one used last first: the others may then grow old and go. */
export class Pool {
  readonly #engine: Engine;
  /** Idle, busy and abandoned ones. */
  readonly #all = new Set<UpstreamConnection>();
  readonly #idle = new Map<Target, UpstreamConnection[]>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A connection to the target; a new one where none may be used, or where `fresh` asks for it. */
  take(target: Target, repeatable: boolean, fresh: boolean): UpstreamConnection {
    const idle = fresh ? undefined : this.#idle.get(target);
    const last = idle?.at(-1);
    if (last === undefined) return this.#create(target, fresh);
    if (!repeatable && this.#engine.plane.now() - last.idleSince > JUST_USED)
      return this.#create(target, fresh);
    idle!.pop();
    return last;
  }

  #create(target: Target, fresh: boolean): UpstreamConnection {
    const engine = this.#engine;
    const face =
      target.protocol === "h2c" ? new Http1Face(engine.http2.ways.http2, target, fresh) : undefined;
    const connection = new UpstreamConnection(engine, target, face);
    this.#all.add(connection);
    return connection;
  }

  put(connection: UpstreamConnection): void {
    let idle = this.#idle.get(connection.target);
    if (idle === undefined) {
      idle = [];
      this.#idle.set(connection.target, idle);
    }
    if (idle.length >= MOST_IDLE) return connection.destroy();
    const now = this.#engine.plane.now();
    connection.used = true;
    connection.idleSince = now;
    idle.push(connection);
    this.#engine.timers.pooled.add(connection, now);
  }

  /** A connection has died; it may be one of the idle ones. */
  forget(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const idle = this.#idle.get(connection.target);
    const at = idle?.lastIndexOf(connection) ?? -1;
    if (at < 0) return;
    idle!.splice(at, 1);
    if (idle!.length === 0) this.#idle.delete(connection.target);
  }

  close(): void {
    for (const connection of [...this.#all]) connection.destroy();
  }
}
