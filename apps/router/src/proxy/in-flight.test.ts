import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { type Colors, TEST_CONFIG, type TestPlane, testPlane } from "../../test/support/plane.ts";
import { request, url } from "../../test/support/requests.ts";
import { OUTCOME_NAMES, type Outcome, outcomeRow } from "../core/outcome.ts";
import { countOf } from "../core/report-sums.ts";
import type { Health } from "../core/snapshot.ts";
import type { Lease, Target } from "../targets/target.ts";
import type { Exchange } from "./exchange.ts";

const color = (weight: number, ...ports: number[]) => ({ weight, targets: ports.map(url) });
const NAMES = ["blue", "green", "red"];

describe("in flight", () => {
  const inFlight = ({ plane }: TestPlane) => plane.colors.map(({ counters }) => counters.inFlight);

  it("counts an assigned request from its begin to its finish", () => {
    const test = testPlane({ blue: color(1, 1), green: color(0, 2) });
    const exchange = test.plane.begin(request());
    expect(inFlight(test)).toEqual([1, 0]);
    const lease = exchange.claim()!;
    exchange.firstByte(lease);
    exchange.settle(lease, "answered");
    lease.release();
    expect(inFlight(test)).toEqual([1, 0]);
    exchange.finish(200, "answered", 0);
    expect(inFlight(test)).toEqual([0, 0]);
  });

  it("counts a request at the color that answers for another, too", () => {
    const test = testPlane({ blue: color(1, 1), green: color(0, 2) }, { snapshot: { standby: "green" } });
    const exchange = test.plane.begin(request());
    exchange.settle(exchange.claim()!, "reset");
    exchange.claim();
    expect(inFlight(test)).toEqual([1, 1]);
    exchange.finish(200, "answered", 0);
    expect(inFlight(test)).toEqual([0, 0]);
  });

  it("moves with a request that moves on, and stays where it was assigned", () => {
    const retry = { ...TEST_CONFIG.retry, attempts: 3 };
    const test = testPlane(
      { blue: color(1, 1), green: color(1, 2), red: color(1, 3) },
      { config: { retry } },
    );
    const exchange = test.plane.begin(request());
    const home = exchange.assigned.index;
    for (let attempt = 1; attempt <= 3; attempt++) {
      const lease = exchange.claim()!;
      const held = [0, 0, 0].map((_, i) => (i === home || i === lease.target.color ? 1 : 0));
      expect(inFlight(test)).toEqual(held);
      exchange.settle(lease, "reset");
      lease.release();
    }
    exchange.finish(502, "reset", 0);
    expect(inFlight(test)).toEqual([0, 0, 0]);
  });

  it("is told at once when the last request of an emptied color has ended, and only then", () => {
    const test = testPlane({ blue: color(1, 1), green: color(0, 2) });
    let urgent = 0;
    test.plane.onUrgent = () => urgent++;
    const [one, two] = [test.plane.begin(request()), test.plane.begin(request())];
    test.serve({ blue: color(0, 1), green: color(1, 2) });
    const three = test.plane.begin(request());
    one.finish(200, "answered", 0);
    three.finish(200, "answered", 0); // green has weight: nobody waits for it
    expect(urgent).toBe(0);
    two.finish(499, "client_abort", 0);
    expect(urgent).toBe(1);
  });
});

/** What happens next, and to which of the requests under way. */
type Step =
  | { readonly kind: "begin"; readonly to: string | undefined; readonly post: boolean }
  | { readonly kind: "claim" | "byte" | "late" | "stall" | "abort"; readonly which: number }
  | { readonly kind: "end"; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "serve"; readonly colors: Colors; readonly standby: string | undefined };

const which = fc.nat(20);
const health = fc.constantFrom<Health>("up", "up", "up", "down", "ejected", "starting");
const someColor = fc.record({
  weight: fc.constantFrom(0, 0, 1, 3),
  targets: fc.uniqueArray(fc.record({ url: fc.nat(3).map((n) => url(n + 1)), health }), {
    selector: (target) => target.url,
    maxLength: 3,
  }),
});
const colors = fc.record({ blue: someColor, green: someColor, red: someColor });
const serve = fc.record({
  kind: fc.constant("serve" as const),
  colors,
  standby: fc.constantFrom(undefined, ...NAMES),
});
const to = fc.constantFrom(undefined, undefined, undefined, ...NAMES);
const begin = fc.record({ kind: fc.constant("begin" as const), to, post: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: begin },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("claim" as const), which }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("byte", "late", "stall", "abort"), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      which,
      outcome: fc.constantFrom(...OUTCOME_NAMES.filter((name) => name !== "no_target" && name !== "stalled")),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(300) }) },
  { weight: 1, arbitrary: serve },
);

/** A request as the model knows it. */
interface Live {
  readonly exchange: Exchange;
  lease: Lease | undefined;
  answering: number | undefined;
}

/** Does what engines do, and keeps the books a second time. */
class Model {
  readonly held = NAMES.map(() => 0);
  readonly targets = new Map<Target, number>();
  live: Live[] = [];
  late: { exchange: Exchange; lease: Lease }[] = [];
  now = 0;
  begun = 0;
  settled = 0;
  finished = 0;
  told = 0;
  expected = 0;
  readonly test: TestPlane;

  constructor(test: (now: () => number) => TestPlane) {
    this.test = test(() => this.now);
    this.test.plane.onUrgent = () => this.told++;
  }

  take(next: Step): void {
    if (next.kind === "serve") this.test.serve(next.colors, { standby: next.standby });
    else if (next.kind === "begin") this.begin(next.to, next.post);
    else if (next.kind === "pass") {
      this.now += next.ms;
      this.test.plane.sweep();
    } else if (next.kind === "late") this.answerLate(this.late[next.which % this.late.length]);
    else this.advance(this.live[next.which % this.live.length], next);
  }

  begin(wanted: string | undefined, post: boolean): void {
    const headers = wanted === undefined ? {} : { "x-sluice-color": wanted };
    const exchange = this.test.plane.begin(request({ method: post ? "POST" : "GET", headers }));
    this.begun++;
    this.held[exchange.assigned.index]! += 1;
    this.live.push({ exchange, lease: undefined, answering: undefined });
  }

  advance(each: Live | undefined, next: Step): void {
    if (!each) return;
    const { exchange, lease } = each;
    if (next.kind === "claim" && !lease) this.claim(each);
    if (next.kind === "byte" && lease) exchange.firstByte(lease);
    if (next.kind === "abort") this.abort(each);
    if (next.kind === "stall" && lease) this.end(each, lease, "stalled");
    if (next.kind === "end" && lease) this.end(each, lease, next.outcome);
  }

  claim(each: Live): void {
    const lease = each.exchange.claim();
    if (lease) this.hold(each, lease);
    else this.finish(each, "no_target");
  }

  hold(each: Live, lease: Lease): void {
    each.lease = lease;
    const onStalled = () => {
      each.exchange.holder = undefined;
      this.end(each, lease, "stalled");
    };
    each.exchange.holder = { onStalled };
    this.targets.set(lease.target, (this.targets.get(lease.target) ?? 0) + 1);
    if (each.answering === lease.target.color) return;
    this.leave(each);
    each.answering = lease.target.color;
    if (each.answering !== each.exchange.assigned.index) this.held[each.answering]! += 1;
  }

  end(each: Live, lease: Lease, outcome: Outcome): void {
    const { exchange } = each;
    exchange.holder = undefined;
    each.lease = undefined;
    this.settled++;
    if (outcomeRow(outcome).blame === "target") this.expected++;
    exchange.settle(lease, outcome);
    if (outcome === "stalled") this.late.push({ exchange, lease });
    else this.release(lease);
    if (!exchange.retries(outcome)) this.finish(each, outcome);
  }

  abort(each: Live): void {
    if (each.lease) this.end(each, each.lease, "client_abort");
    else this.finish(each, "client_abort");
  }

  answerLate(one: { exchange: Exchange; lease: Lease } | undefined): void {
    if (!one) return;
    one.exchange.firstByte(one.lease);
    this.late = this.late.filter((each) => each !== one);
    this.release(one.lease);
  }

  release(lease: Lease): void {
    this.targets.set(lease.target, this.targets.get(lease.target)! - 1);
    lease.release();
    lease.release(); // twice is as good as once
  }

  leave(each: Live): void {
    if (each.answering !== undefined && each.answering !== each.exchange.assigned.index)
      this.drop(each.answering);
  }

  drop(index: number): void {
    this.held[index]! -= 1;
    if (this.held[index] === 0 && this.test.plane.colors[index]!.share === 0) this.expected++;
  }

  finish(each: Live, outcome: Outcome): void {
    this.live = this.live.filter((other) => other !== each);
    this.finished++;
    this.leave(each);
    this.drop(each.exchange.assigned.index);
    each.exchange.finish(outcomeRow(outcome).status, outcome, 0);
  }

  check(): void {
    const { colors } = this.test.plane.report();
    const reports = NAMES.map((name) => colors[name]!);
    expect(reports.map((each) => each.inFlight)).toEqual(this.held);
    for (const [target, held] of this.targets) expect(target.inFlight).toBe(held);
    for (const [target] of this.targets) expect(target.waiting).toBe(target.waiters().length);
    const sum = (of: (report: (typeof reports)[number]) => number) =>
      reports.reduce((n, each) => n + of(each), 0);
    expect(sum((each) => each.assigned + each.overridden)).toBe(this.begun);
    expect(sum((each) => countOf(each.attempts))).toBe(this.settled);
    expect(sum((each) => countOf(each.requests)) + countOf(colors.none!.requests)).toBe(this.finished);
    expect(sum((each) => each.evidence.requests)).toBeLessThanOrEqual(sum((each) => each.assigned));
    expect(this.told).toBe(this.expected);
  }

  endAll(): void {
    for (const each of [...this.live]) this.abort(each);
    for (const one of [...this.late]) this.answerLate(one);
  }
}

it("agrees with a second bookkeeping over any course of events, and ends at zero", () => {
  fc.assert(
    fc.property(fc.nat(), serve, fc.array(step, { minLength: 40, maxLength: 120 }), (seed, first, steps) => {
      const override = {
        header: "x-sluice-color",
        cookie: undefined,
        from: ["127.0.0.1"],
        secret: undefined,
      };
      const retry = { ...TEST_CONFIG.retry, attempts: 2 };
      const model = new Model((now) =>
        testPlane(first.colors, { config: { override, retry }, now, random: seeded(seed) }),
      );
      for (const each of model.test.plane.colors) for (let i = 0; i < 20; i++) each.latency.record(1, 0);
      for (const next of steps) {
        model.take(next);
        model.check();
      }
      model.endAll();
      model.check();
      expect(model.held).toEqual([0, 0, 0]);
      for (const [target] of model.targets) {
        expect([target.inFlight, target.waiting]).toEqual([0, 0]);
      }
      model.test.plane.sweep();
    }),
    { numRuns: 150, seed: 20261121 },
  );
});
