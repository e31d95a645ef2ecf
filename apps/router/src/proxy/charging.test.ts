import { describe, expect, it } from "vitest";
import { type PlaneOptions, testPlane } from "../../test/support/plane.ts";
import { request, send, url } from "../../test/support/requests.ts";
import type { Outcome } from "../core/outcome.ts";

const colors = (blue: number, green: number, health: "up" | "down" = "up") => ({
  blue: { weight: blue, targets: [{ url: url(1), health }] },
  green: { weight: green, targets: [url(2)] },
});

/** A plane whose next draw is blue at 50/50. */
const halves = (options: PlaneOptions = {}) => testPlane(colors(1, 1), { random: () => 0, ...options });

const evidence = ({ plane }: ReturnType<typeof testPlane>) => {
  const { blue, green } = plane.report().colors;
  return { blue: blue!.evidence, green: green!.evidence };
};
const NONE = { requests: 0, bad: 0 };
const GOOD = { requests: 1, bad: 0 };
const BAD = { requests: 1, bad: 1 };

describe("evidence", () => {
  it("has one record of a request that its first attempt answers", () => {
    const test = halves();
    send(test.plane);
    expect(evidence(test)).toEqual({ blue: GOOD, green: NONE });
  });

  it.each<Outcome>([
    "answered_5xx",
    "answered_502",
    "answered_503",
    "answered_504",
    "connect_failed",
    "connect_timeout",
    "reset",
    "response_timeout",
    "invalid_response",
    "truncated",
    "stream_timeout",
  ])("counts a first attempt that ends %s against its color", (outcome) => {
    const test = halves({
      config: { failover: false, retry: { ...halves().plane.config.retry, attempts: 0 } },
    });
    send(test.plane, {}, () => outcome);
    expect(evidence(test)).toEqual({ blue: BAD, green: NONE });
  });

  it("is the first attempt's, though the second answers", () => {
    const test = halves();
    send(test.plane, {}, (_, attempt) => (attempt === 1 ? "reset" : "answered"));
    expect(evidence(test)).toEqual({ blue: BAD, green: NONE });
  });

  it("blames nobody but the assigned color for a request that fails on both", () => {
    const test = halves();
    const { ports } = send(test.plane, {}, () => "reset");
    expect(ports).toEqual([1, 2]);
    expect(evidence(test)).toEqual({ blue: BAD, green: NONE });
  });

  it("counts that there is no target, and nothing of where the request went instead", () => {
    for (const outcome of ["answered", "reset"] as const) {
      const test = testPlane(colors(1, 1, "down"), { random: () => 0 });
      expect(send(test.plane, {}, () => outcome).ports[0]).toBe(2);
      expect(evidence(test)).toEqual({ blue: BAD, green: NONE });
    }
  });

  it("counts that there is no target, once, where there is no other color either", () => {
    const test = halves({ config: { failover: false } });
    test.serve(colors(1, 1, "down"));
    const exchange = test.plane.begin(request());
    expect(exchange.claim()).toBeUndefined();
    expect(exchange.claim()).toBeUndefined();
    exchange.finish(503, "no_target", 0);
    expect(evidence(test)).toEqual({ blue: BAD, green: NONE });
  });

  it.each<Outcome>(["client_abort", "body_too_large", "body_timeout", "bad_request"])(
    "blames nobody for what the client did: %s",
    (outcome) => {
      const test = halves();
      send(test.plane, {}, () => outcome);
      expect(evidence(test)).toEqual({ blue: NONE, green: NONE });
      expect(test.plane.colors[0]!.targets[0]).toMatchObject({ errors: 0, passes: 0 });
    },
  );

  it("takes nothing from weights of 0 or 1", () => {
    for (const blue of [1, 0]) {
      const test = testPlane(colors(blue, 1 - blue));
      for (let i = 0; i < 10; i++) send(test.plane);
      expect(evidence(test)).toEqual({ blue: NONE, green: NONE });
    }
  });

  it("takes nothing from the exact split, whose draws are not independent", () => {
    const test = testPlane(colors(1, 1), { snapshot: { split: "exact" } });
    for (let i = 0; i < 10; i++) send(test.plane);
    expect(evidence(test)).toEqual({ blue: NONE, green: NONE });
  });

  it("goes by the weight and the split at assignment, whatever is in force at the end", () => {
    const later = halves();
    send(later.plane, {}, () => {
      later.serve(colors(0, 1), { split: "exact" });
      return "answered";
    });
    expect(evidence(later)).toEqual({ blue: GOOD, green: NONE });
    const earlier = testPlane(colors(1, 1), { snapshot: { split: "exact" } });
    send(earlier.plane, {}, () => {
      earlier.serve(colors(1, 1), { split: "random" });
      return "answered";
    });
    expect(evidence(earlier)).toEqual({ blue: NONE, green: NONE });
  });

  it("is the first attempt's where a second one overtakes it", () => {
    const { plane } = halves();
    const exchange = plane.begin(request());
    const [first, second] = [exchange.claim()!, exchange.claim()!];
    exchange.settle(second, "answered");
    exchange.settle(first, "reset");
    expect(plane.report().colors.blue!.evidence).toEqual(BAD);
  });
});

describe("passive health", () => {
  it("is charged to each target by its own attempts", () => {
    const { plane } = halves();
    send(plane, {}, () => "reset");
    send(plane, {}, (lease) => (lease.target.port === 1 ? "connect_failed" : "answered"));
    expect(plane.report().colors.blue!.targets[url(1)]).toMatchObject({ errors: 2, passes: 0 });
    expect(plane.report().colors.green!.targets[url(2)]).toMatchObject({ errors: 1, passes: 1 });
  });

  it("is reported at once after an error, and in its own time after an answer", () => {
    const { plane } = halves();
    let urgent = 0;
    plane.onUrgent = () => urgent++;
    send(plane);
    send(plane, {}, () => "client_abort");
    expect(urgent).toBe(0);
    send(plane, {}, () => "reset");
    expect(urgent).toBe(2);
  });
});

describe("counters", () => {
  const failing = () => {
    const test = halves();
    send(test.plane, {}, (lease) => (lease.target.port === 1 ? "reset" : "answered"));
    return test.plane.report().colors;
  };

  it("count answers by the color that answered", () => {
    const { blue, green } = failing();
    expect(blue!.requests).toEqual({});
    expect(green!.requests).toEqual({ "GET 200": 1 });
    expect(green!.duration.buckets.reduce((a, b) => a + b)).toBe(1);
  });

  it("count assignments, attempts, errors, retries and failovers where they belong", () => {
    const { blue, green } = failing();
    expect(blue).toMatchObject({ assigned: 1, attempts: { reset: 1 }, upstreamErrors: { reset: 1 } });
    expect(blue).toMatchObject({ retries: { reset: 1 }, failovers: { green: 1 } });
    expect(green).toMatchObject({ assigned: 0, attempts: { answered: 1 }, upstreamErrors: {} });
    expect(green).toMatchObject({ retries: {}, failovers: {} });
  });

  it("count a retry at the color whose attempt failed", () => {
    const { plane } = halves({ config: { retry: { ...halves().plane.config.retry, attempts: 3 } } });
    send(plane, {}, (_, attempt) => (attempt < 3 ? "reset" : "answered"));
    expect(plane.report().colors).toMatchObject({
      blue: { retries: { reset: 1 } },
      green: { retries: { reset: 1 } },
    });
  });

  it("count under none what no color answered", () => {
    const { plane } = testPlane({ blue: { weight: 1, targets: [] } });
    send(plane, { method: "POST" });
    plane.refused(request({ method: "BREW" }), { id: "7", status: 400, bytes: 0 });
    const { none, blue } = plane.report().colors;
    expect(none!.requests).toEqual({ "POST 503": 1, "OTHER 400": 1 });
    expect(blue!.requests).toEqual({});
  });

  it("count a failed request by the color that it was tried at last", () => {
    const { plane } = halves();
    send(plane, {}, () => "reset");
    const { blue, green, none } = plane.report().colors;
    expect([blue!.requests, green!.requests, none!.requests]).toEqual([{}, { "GET 502": 1 }, {}]);
  });

  it("keep any three digits apart from other methods", () => {
    const { plane } = halves();
    const exchange = plane.begin(request());
    exchange.settle(exchange.claim()!, "answered_5xx");
    exchange.finish(999, "answered_5xx", 0);
    expect(plane.report().colors.blue!.requests).toEqual({ "GET 999": 1 });
  });

  it("count a request once, however often it is finished", () => {
    const { plane, lines } = halves();
    const { exchange } = send(plane);
    exchange.finish(500, "answered_5xx", 0);
    expect(plane.report().colors.blue).toMatchObject({ requests: { "GET 200": 1 }, inFlight: 0 });
    expect(lines).toHaveLength(1);
  });
});

describe("the access log", () => {
  it("says who was asked, who answered, and where it ended", () => {
    const { plane, lines } = halves();
    send(plane, { path: "/a?b=1", peer: "::ffff:203.0.113.5" }, (_, attempt) =>
      attempt === 1 ? "reset" : "answered",
    );
    expect(lines).toMatchObject([
      {
        assigned: "blue",
        color: "green",
        target: url(2),
        attempts: 2,
        client: "203.0.113.5",
        path: "/a?b=1",
      },
    ]);
  });

  it("says none where no color answered", () => {
    const { plane, lines } = testPlane({ blue: { weight: 1, targets: [] } });
    send(plane);
    expect(lines).toMatchObject([
      { color: "none", assigned: "blue", target: undefined, attempts: 0, status: 503 },
    ]);
  });

  it("has only what went wrong, if so configured", () => {
    const { plane, lines } = halves({ config: { log: { level: "silent", access: "errors" } } });
    send(plane);
    send(plane, {}, (_, attempt) => (attempt === 1 ? "reset" : "answered"));
    send(plane, {}, () => "client_abort");
    send(plane, {}, () => "answered_5xx");
    expect(lines.map(({ outcome }) => outcome)).toEqual(["answered", "client_abort", "answered_5xx"]);
  });
});
