import { describe, expect, it } from "vitest";
import { closing, eventually } from "../../../test/support/open.ts";
import { testPlane, testRouter } from "../../../test/support/plane.ts";
import { type RequestSpec, request, url } from "../../../test/support/requests.ts";
import { upstream } from "../../../test/support/upstream.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { RolloutView } from "../../core/rollout/counting.ts";
import { ENGINES } from "../../engines.ts";
import type { DataPlane } from "../data-plane.ts";

const keep = closing();
const TAU = 250;
const rollout: RolloutView = {
  id: "r1",
  candidate: "green",
  stable: "blue",
  tallies: [
    { name: "errors", kind: "errors" },
    { name: "slow:250ms", kind: "slow", parameters: { after: TAU } },
    { name: "rejected", kind: "rejected" },
    { name: "assigned", kind: "assigned" },
    { name: "answers", kind: "answers" },
  ],
};
const colors = (green = 1, health: "up" | "down" = "up") => ({
  blue: { weight: 3, targets: [url(1)] },
  green: { weight: green, targets: [{ url: url(2), health }] },
});

/** A plane with a rollout and a clock of the test's; the next draws are green's, the candidate's. */
function scene(more: Parameters<typeof testPlane>[1] = {}, health: "up" | "down" = "up") {
  const time = { now: 0 };
  const options = { now: () => time.now, random: () => 0.99, snapshot: { rollout }, ...more };
  const test = testPlane(colors(1, health), options);
  /** A request whose attempts each take so long and end so. */
  const send = (outcomes: readonly Outcome[], took = 1, status = 200, spec: RequestSpec = {}) => {
    const exchange = test.plane.begin(request(spec));
    for (const outcome of outcomes) {
      const lease = exchange.claim();
      if (lease === undefined) break;
      time.now += took;
      exchange.settle(lease, outcome, outcome.startsWith("answered") ? status : 0);
      lease.release();
      exchange.retries(outcome);
    }
    exchange.finish(200, "answered", 0);
    return exchange;
  };
  return { ...test, time, send };
}

/** By tally: the candidate's bad and requests, then the stable color's, over all weights. */
function counted(plane: DataPlane): Record<string, readonly number[]> {
  const [run] = plane.report().runs ?? [];
  return Object.fromEntries(
    Object.entries(run?.tallies ?? {}).map(([name, { strata }]) => {
      const sum = (of: (s: (typeof strata)[number]) => number) =>
        strata.reduce((total, s) => total + of(s), 0);
      return [
        name,
        [
          sum((s) => s.candidate.bad),
          sum((s) => s.candidate.requests),
          sum((s) => s.stable.bad),
          sum((s) => s.stable.requests),
        ],
      ];
    }),
  );
}

describe("a request is charged once, by its first attempt at its own color", () => {
  it("at the weight that its color had when it was assigned", () => {
    const test = scene();
    const exchange = test.plane.begin(request());
    const lease = exchange.claim()!;
    test.serve(colors(3), { rollout });
    exchange.settle(lease, "reset");
    exchange.finish(502, "reset", 0);
    const [run] = test.plane.report().runs!;
    expect(run!.tallies.errors!.strata).toEqual([
      { rho: 0.25, candidate: { requests: 1, bad: 1 }, stable: { requests: 0, bad: 0 } },
    ]);
  });

  it.each<[string, readonly Outcome[], number, number, Record<string, readonly number[]>]>([
    ["good", ["answered"], 10, 200, { errors: [0, 1], "slow:250ms": [0, 1], rejected: [0, 1] }],
    ["a server error", ["answered_5xx"], 10, 500, { errors: [1, 1], "slow:250ms": [0, 1], rejected: [0, 1] }],
    ["a reset, then good elsewhere", ["reset", "answered"], 10, 200, { errors: [1, 1], rejected: [0, 1] }],
    ["slow", ["answered"], 250, 200, { errors: [0, 1], "slow:250ms": [1, 1] }],
    ["almost slow", ["answered"], 249, 200, { "slow:250ms": [0, 1] }],
    ["silent for too long", ["stalled", "answered"], 100, 200, { errors: [1, 1], "slow:250ms": [1, 1] }],
    ["rejected", ["answered"], 1, 422, { errors: [0, 1], rejected: [1, 1] }],
    ["not allowed", ["answered"], 1, 403, { rejected: [0, 1] }],
    ["not known", ["answered"], 1, 401, { rejected: [0, 1] }],
    ["too many", ["answered"], 1, 429, { rejected: [0, 1] }],
    ["no connection", ["connect_timeout", "answered"], 1000, 200, { errors: [1, 1], "slow:250ms": [0, 0] }],
    ["given up early", ["client_abort"], 100, 0, { errors: [0, 0], "slow:250ms": [0, 0] }],
    ["given up late", ["client_abort"], 300, 0, { errors: [0, 0], "slow:250ms": [1, 1] }],
    ["the client's fault, late", ["body_timeout"], 300, 0, { errors: [0, 0], "slow:250ms": [0, 0] }],
    ["a tunnel that lasted", ["answered"], 60_000, 101, { errors: [0, 1], "slow:250ms": [0, 0] }],
  ])("%s", (_, outcomes, took, status, expected) => {
    const test = scene();
    test.send(outcomes, took, status);
    const all = counted(test.plane);
    for (const [name, [bad, requests]] of Object.entries(expected)) {
      expect([name, ...(all[name] ?? [0, 0, 0, 0])]).toEqual([name, bad, requests, 0, 0]);
    }
    expect(all.assigned).toEqual([0, 1, 0, 0]);
  });

  it.each([
    ["INVALID_ARGUMENT", 3, 1],
    ["NOT_FOUND", 5, 1],
    ["FAILED_PRECONDITION", 9, 1],
    ["OUT_OF_RANGE", 11, 1],
    ["OK", 0, 0],
    ["PERMISSION_DENIED", 7, 0],
    ["RESOURCE_EXHAUSTED", 8, 0],
    ["UNAUTHENTICATED", 16, 0],
  ])("as rejected, or not, by the status of a gRPC call: %s", (_, grpcStatus, bad) => {
    const test = scene();
    const exchange = test.plane.begin(request());
    const lease = exchange.claim()!;
    exchange.grpcStatus = grpcStatus;
    exchange.settle(lease, "answered", 200);
    expect(counted(test.plane)).toMatchObject({ errors: [0, 1, 0, 0], rejected: [bad, 1, 0, 0] });
  });

  it("against its color, where that has no target", () => {
    const test = scene({}, "down");
    test.send(["answered"]);
    expect(counted(test.plane)).toMatchObject({ errors: [1, 1, 0, 0], rejected: [0, 0, 0, 0] });
  });

  it("without the time that connecting took", () => {
    const test = scene();
    const exchange = test.plane.begin(request());
    const lease = exchange.claim()!;
    test.time.now += 900;
    lease.sentAt = test.time.now;
    test.time.now += 100;
    exchange.settle(lease, "answered", 200);
    expect(counted(test.plane)["slow:250ms"]).toEqual([0, 1, 0, 0]);
  });

  it("and not at all when an override sent it, or it went to a third color", () => {
    const override = {
      header: "x-sluice-color",
      cookie: "sluice_color",
      from: ["127.0.0.0/8"],
      secret: undefined,
    };
    const test = scene({ config: { override } });
    test.send(["reset"], 1, 200, { headers: { "x-sluice-color": "green" } });
    expect(counted(test.plane).errors ?? [0, 0, 0, 0]).toEqual([0, 0, 0, 0]);
    const third = { ...colors(), red: { weight: 1000, targets: [url(3)] } };
    const other = testPlane(third, { random: () => 0.99, snapshot: { rollout } });
    const exchange = other.plane.begin(request());
    expect([exchange.assigned.name, exchange.charging]).toEqual(["red", undefined]);
  });

  it("by others as well, for what only they can see", () => {
    const test = scene();
    const exchange = test.send(["answered"]);
    exchange.charge("answers", true);
    exchange.charge("nobody asked", true);
    expect(counted(test.plane).answers).toEqual([1, 1, 0, 0]);
    expect(counted(test.plane)["nobody asked"]).toBeUndefined();
  });

  it("with affinity by the user, whose bad requests the control plane counts once", () => {
    const test = scene({ config: { affinity: { kind: "header", name: "x-user" } } });
    const headers = { "x-user": "ann" };
    for (let i = 0; i < 3; i++) test.send(["reset"], 1, 200, { headers });
    test.send(["answered"], 1, 200, { headers });
    const [run] = test.plane.report().runs!;
    expect(run!.users.errors).toHaveLength(1);
    expect(run!.tallies.assigned!.strata).toEqual([]);
    const { errors } = counted(test.plane);
    expect(errors![0]! + errors![2]!).toBe(0);
    expect(errors![1]! + errors![3]!).toBe(1);
  });

  it("only while a rollout runs, and with what is counted when it was assigned", () => {
    const test = scene({ snapshot: {} });
    test.send(["reset"]);
    expect(test.plane.report().runs).toBeUndefined();
    const cold = { ...rollout, tallies: rollout.tallies.filter(({ kind }) => kind !== "slow") };
    test.serve(colors(), { rollout: cold });
    const early = test.plane.begin(request());
    const lease = early.claim()!;
    test.serve(colors(), { rollout });
    test.time.now += 1000;
    early.settle(lease, "answered", 200);
    expect(counted(test.plane)["slow:250ms"]?.[1] ?? 0).toBe(0);
  });
});

describe.each(Object.entries(ENGINES))("engine %s", (_, create) => {
  it("does not count the time that a new connection takes", async () => {
    const green = keep(await upstream((_incoming, response) => response.end("green")));
    const time = { passed: 0 };
    const targets = { blue: { weight: 1, targets: [green.url] }, green: { weight: 1, targets: [green.url] } };
    const options = { now: () => performance.now() + time.passed, random: () => 0.99, snapshot: { rollout } };
    const router = keep(await testRouter(targets, options, create));
    const { dialer } = router.plane;
    const dial = dialer.dial.bind(dialer);
    dialer.dial = (...where) => {
      time.passed += 60_000; // after the place at the target was taken, and before it is connected
      return dial(...where);
    };
    await (await fetch(router.url)).arrayBuffer();
    await eventually(() => counted(router.plane).errors?.[1] === 1);
    expect(time.passed).toBe(60_000);
    expect(counted(router.plane)["slow:250ms"]).toEqual([0, 1, 0, 0]);
  });

  it("tells how long the target took, and what it answered", async () => {
    const green = keep(
      await upstream((incoming, response) => {
        response.statusCode = incoming.url === "/bad" ? 422 : 200;
        if (incoming.url === "/slow") setTimeout(() => response.end("late"), TAU);
        else response.end("green");
      }),
    );
    const targets = { blue: { weight: 1, targets: [green.url] }, green: { weight: 1, targets: [green.url] } };
    const router = keep(await testRouter(targets, { random: () => 0.99, snapshot: { rollout } }, create));
    for (const path of ["/", "/bad", "/slow"]) await (await fetch(`${router.url}${path}`)).arrayBuffer();
    await eventually(() => counted(router.plane).errors?.[1] === 3);
    expect(counted(router.plane)).toMatchObject({
      errors: [0, 3, 0, 0],
      rejected: [1, 3, 0, 0],
      "slow:250ms": [1, 3, 0, 0],
    });
    const [run] = router.plane.report().runs!;
    const [{ candidate }] = run!.histograms.latency as unknown as [{ candidate: number[] }];
    expect(candidate.reduce((sum, n) => sum + n, 0)).toBe(3);
  });
});
