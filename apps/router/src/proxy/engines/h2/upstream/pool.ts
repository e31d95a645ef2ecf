import type { Target } from "../../../../targets/target.ts";
import type { DataPlane } from "../../../data-plane.ts";
import { Http2Upstream } from "./http2-upstream.ts";
import { UpstreamSession } from "./session.ts";
import type { Upstream, UpstreamReader, UpstreamRequest } from "./upstream.ts";

/** The HTTP/2 connections to targets: as many for each as the streams that it takes on one ask for. */
export class Http2Pool {
  readonly #plane: DataPlane;
  readonly #sessions = new Map<Target, UpstreamSession[]>();

  /** Streams that targets allow on one connection, as they said last. */
  readonly #allowed = new WeakMap<Target, number>();

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  /** Connections that are open, or being opened. */
  get size(): number {
    let size = 0;
    for (const sessions of this.#sessions.values()) size += sessions.length;
    return size;
  }

  /**
   * Sends a request's head. Never throws: what fails is told to the reader, later.
   * @param fresh on a new connection, because a kept one turned out to be stale
   */
  open(target: Target, request: UpstreamRequest, reader: UpstreamReader, fresh = false): Upstream {
    const kept = fresh ? undefined : this.#sessions.get(target)?.find((session) => session.hasRoom);
    return new Http2Upstream(kept ?? this.#connect(target), request, reader);
  }

  /** Cuts all. */
  close(): void {
    for (const sessions of [...this.#sessions.values()])
      for (const session of [...sessions]) session.destroy();
  }

  #connect(target: Target): UpstreamSession {
    const socket = this.#plane.dialer.dial(target, { alpn: ["h2"] });
    const session = new UpstreamSession(target, socket, {
      streams: this.#allowed.get(target),
      connectTimeout: this.#plane.config.timeouts.connect,
      isWanted: () => this.#plane.colors[target.color]!.targets.includes(target),
      onAllowed: (streams) => this.#allowed.set(target, streams),
      onGone: () => this.#forget(target, session),
    });
    const sessions = this.#sessions.get(target);
    if (sessions === undefined) this.#sessions.set(target, [session]);
    else sessions.push(session);
    return session;
  }

  #forget(target: Target, session: UpstreamSession): void {
    const rest = (this.#sessions.get(target) ?? []).filter((each) => each !== session);
    if (rest.length === 0) this.#sessions.delete(target);
    else this.#sessions.set(target, rest);
  }
}
