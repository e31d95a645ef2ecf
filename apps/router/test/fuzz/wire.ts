import type { AccessLine } from "../../src/proxy/access-line.ts";
import type { DataPlane } from "../../src/proxy/data-plane.ts";
import { ClientConnection } from "../../src/proxy/engines/wire/client-connection.ts";
import type { Engine } from "../../src/proxy/engines/wire/engine-parts.ts";
import { Head } from "../../src/proxy/engines/wire/head.ts";
import { HedgeQueue } from "../../src/proxy/engines/wire/hedge-queue.ts";
import type { Pool } from "../../src/proxy/engines/wire/pool.ts";
import { Timers } from "../../src/proxy/engines/wire/timers.ts";
import { UpstreamConnection } from "../../src/proxy/engines/wire/upstream-connection.ts";
import type { Target } from "../../src/targets/target.ts";
import { TEST_CONFIG, testPlane } from "../support/plane.ts";
import { FakeSocket } from "./fake-socket.ts";

/** Bounds so low that mutated messages meet them. */
export const LIMITS = { header: 4096, headers: 40, body: 2048, connections: 10 };
/** What the router calls a request that brought no id of its own, so that all runs say the same. */
export const ID = "fuzz";
export const TARGET = "http://upstream:1";

/** A connection to the upstream, and whether the request on it has been sent whole. */
export class Upstream extends UpstreamConnection {
  readonly fake: FakeSocket;
  whole = false;
  answered = false;

  constructor(engine: Engine, target: Target, fake = new FakeSocket()) {
    super(engine, target, fake.asSocket());
    this.fake = fake;
  }

  /** For its answer. */
  get waits(): boolean {
    return this.whole && !this.answered;
  }

  override requestSent(): void {
    super.requestSent();
    this.whole = true;
  }
}

/** The engine `wire` without its listener and its sockets. Every exchange gets a connection of its own. */
export class Wire {
  readonly plane: DataPlane;
  /** What the access log said since the last {@link open}. */
  readonly lines: AccessLine[];
  upstreams: Upstream[] = [];
  readonly #engine: Engine;

  constructor() {
    const { retry } = TEST_CONFIG;
    const { plane, lines } = testPlane(
      { blue: { weight: 1, targets: [TARGET] } },
      { now: () => 0, config: { limits: LIMITS, retry: { ...retry, attempts: 0, buffer: 128 } } },
    );
    this.lines = lines;
    plane.ids.next = () => ID;
    this.plane = plane;
    const pool = {
      take: (target: Target) => this.#connect(target),
      put: () => {},
      forget: () => {},
      close: () => {},
    } as unknown as Pool;
    this.#engine = {
      plane,
      pool,
      timers: new Timers(plane.config.timeouts, plane.now),
      http2: { accept: () => {} } as unknown as Engine["http2"],
      hedges: new HedgeQueue(plane.now),
      requestHead: new Head(),
      answerHead: new Head(),
      readBuffer: Buffer.alloc(0),
      answerHeader: LIMITS.header,
      answerFields: LIMITS.headers,
      draining: false,
      closed: () => {},
      date: () => "now",
    };
  }

  /** A new client's connection. */
  open(): FakeSocket {
    this.lines.length = 0;
    this.upstreams = [];
    const client = new FakeSocket();
    new ClientConnection(this.#engine, client.asSocket());
    return client;
  }

  /** Ends what {@link open} began. @returns what was not given back, or was given back twice */
  close(client: FakeSocket): string {
    client.emit("close");
    for (const { fake } of this.upstreams) fake.emit("close");
    const { plane } = this;
    const color = plane.colors[0]!;
    const [target] = color.targets;
    const held = [plane.buffered, color.counters.inFlight, target!.inFlight, target!.waiting];
    return held.every((count) => count === 0) ? "" : `still held: ${held}`;
  }

  #connect(target: Target): Upstream {
    const upstream = new Upstream(this.#engine, target);
    this.upstreams.push(upstream);
    return upstream;
  }
}
