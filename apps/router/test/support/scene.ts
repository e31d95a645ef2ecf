import type { Exchange } from "../../src/proxy/exchange.ts";
import type { Lease } from "../../src/targets/target.ts";
import { type Colors, type PlaneOptions, type TestPlane, testPlane } from "./plane.ts";
import { type RequestSpec, request, url } from "./requests.ts";

export interface Waiting {
  readonly exchange: Exchange;
  readonly lease: Lease;
  /** How often the engine was told to go elsewhere. */
  stalls: number;
}

/** How often each was told to go elsewhere. */
export const stalls = (all: readonly Waiting[]) => all.map((each) => each.stalls);

/** A plane whose clock stands still unless it is moved, and whose colors have answered in 5 ms. */
export class Scene {
  now = 0;
  readonly test: TestPlane;

  constructor(colors: Colors, options: PlaneOptions = {}, measured = 5) {
    this.test = testPlane(colors, { now: () => this.now, random: () => 0, ...options });
    if (measured > 0) for (const each of this.plane.colors) this.measure(each.index, measured);
  }

  get plane() {
    return this.test.plane;
  }

  measure(index: number, milliseconds: number): void {
    for (let i = 0; i < 20; i++) this.plane.colors[index]!.latency.record(milliseconds, this.now);
  }

  /** A request that has been sent and waits. */
  wait(spec: RequestSpec = {}): Waiting {
    const exchange = this.plane.begin(request(spec));
    const waiting: Waiting = { exchange, lease: exchange.claim()!, stalls: 0 };
    exchange.holder = { onStalled: () => waiting.stalls++ };
    return waiting;
  }

  waitAll(count: number, spec: RequestSpec = {}): Waiting[] {
    return Array.from({ length: count }, () => this.wait(spec));
  }

  /** Time passes and the sweep comes round. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.plane.sweep();
  }

  /** The port that the next request goes to. */
  next(): number | undefined {
    const exchange = this.plane.begin(request());
    const lease = exchange.claim();
    lease?.release();
    exchange.finish(200, "answered", 0);
    return lease?.target.port;
  }

  suspect(port: number): boolean {
    return this.plane.report().colors.blue!.targets[url(port)]!.suspect;
  }
}
