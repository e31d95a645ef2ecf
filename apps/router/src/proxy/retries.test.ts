import { describe, expect, it } from "vitest";
import { TEST_CONFIG, testPlane } from "../../test/support/plane.ts";
import { type RequestSpec, request, send, url } from "../../test/support/requests.ts";
import type { RetryConfig } from "../config/config.ts";
import type { Outcome } from "../core/outcome.ts";

const ALL_WORDS = ["connect", "reset", "timeout", "invalid", "502", "503", "504"] as const;
const targets = [1, 2, 3, 4].map(url);

function plane(retry: Partial<RetryConfig> = {}, now = () => 0) {
  const config = { retry: { ...TEST_CONFIG.retry, ...retry } };
  return testPlane({ blue: { weight: 1, targets } }, { config, now }).plane;
}

/** Attempts that a request takes when all of them end so. */
const attempts = (outcome: Outcome, spec: RequestSpec, retry: Partial<RetryConfig> = {}) =>
  send(plane(retry), spec, () => outcome).ports.length;

const GET = { method: "GET" };
const POST = { method: "POST", path: "/api/predict/?v=1" };
const UNSENT: Outcome[] = ["connect_failed", "connect_timeout"];
const SENT: [Outcome, (typeof ALL_WORDS)[number]][] = [
  ["reset", "reset"],
  ["response_timeout", "timeout"],
  ["invalid_response", "invalid"],
  ["answered_502", "502"],
  ["answered_503", "503"],
  ["answered_504", "504"],
];

describe("what was not sent", () => {
  it.each(UNSENT)("is repeated whatever its method (%s)", (outcome) => {
    for (const method of ["GET", "POST", "PATCH", "BREW"]) expect(attempts(outcome, { method })).toBe(2);
  });

  it.each(UNSENT)("is not repeated where retry.on leaves connect out (%s)", (outcome) => {
    expect(attempts(outcome, GET, { on: ["reset"] })).toBe(1);
  });
});

describe("what may have been acted on", () => {
  it.each(SENT)("is repeated if it is idempotent and retry.on has the word (%s)", (outcome, word) => {
    expect(attempts(outcome, GET, { on: [word] })).toBe(2);
    expect(attempts(outcome, GET, { on: ALL_WORDS.filter((each) => each !== word) })).toBe(1);
  });

  it.each(SENT)("is repeated as POST only on a declared path (%s)", (outcome) => {
    expect(attempts(outcome, POST, { on: ALL_WORDS })).toBe(1);
    expect(attempts(outcome, POST, { on: ALL_WORDS, idempotent_paths: ["/api/predict/"] })).toBe(2);
    expect(attempts(outcome, POST, { on: ALL_WORDS, idempotent_paths: ["/api/*/"] })).toBe(2);
    expect(attempts(outcome, POST, { on: ALL_WORDS, idempotent_paths: ["/api/other/"] })).toBe(1);
    expect(
      attempts(outcome, { ...POST, method: "PATCH" }, { on: ALL_WORDS, idempotent_paths: ["/api/*/"] }),
    ).toBe(1);
  });

  it("passes an upstream's own 502, 503 or 504 on by default", () => {
    for (const outcome of ["answered_502", "answered_503", "answered_504"] as const) {
      expect(attempts(outcome, GET)).toBe(1);
    }
  });
});

it.each<Outcome>([
  "answered",
  "answered_5xx",
  "truncated",
  "stream_timeout",
  "client_abort",
  "body_too_large",
  "body_timeout",
  "bad_request",
])("never repeats %s", (outcome) => expect(attempts(outcome, GET, { on: ALL_WORDS, attempts: 3 })).toBe(1));

it("never repeats a request whose body has left the buffer", () => {
  for (const outcome of ["connect_failed", "reset"] as const) {
    const exchange = plane().begin(request());
    exchange.settle(exchange.claim()!, outcome);
    exchange.bodyKept = false;
    expect(exchange.retries(outcome)).toBe(false);
  }
});

it.each([0, 1, 3])("repeats at most retry.attempts times: %i", (most) => {
  expect(attempts("reset", GET, { attempts: most })).toBe(most + 1);
});

it("goes to a target not tried yet while there is one", () => {
  const { ports } = send(plane({ attempts: 3 }), GET, () => "reset");
  expect(ports.toSorted()).toEqual([1, 2, 3, 4]);
});

describe("the budget", () => {
  const repeated = (by: ReturnType<typeof plane>, times: number) => {
    let count = 0;
    for (let i = 0; i < times; i++) count += send(by, GET, () => "reset").ports.length - 1;
    return count;
  };

  it("caps repetitions at a share of the last ten seconds' requests", () => {
    expect(repeated(plane({ budget: 0.2 }), 1000)).toBe(200);
    expect(repeated(plane({ budget: 0.2 }), 100)).toBe(30); // three a second always
    expect(repeated(plane({ budget: 0 }), 1000)).toBe(30);
  });

  it("is whole again after ten seconds", () => {
    let now = 0;
    const by = plane({ budget: 0 }, () => now);
    expect(repeated(by, 100)).toBe(30);
    now = 9_999;
    expect(repeated(by, 100)).toBe(0);
    now = 10_000;
    expect(repeated(by, 100)).toBe(30);
  });

  it("counts no repetition that it refused", () => {
    const by = plane({ budget: 0 });
    repeated(by, 100);
    expect(by.report().colors.blue!.retries).toEqual({ reset: 30 });
  });

  it("is not spent on a request that may not be repeated anyway", () => {
    const by = plane({ budget: 0 });
    for (let i = 0; i < 100; i++) send(by, POST, () => "reset");
    expect(repeated(by, 100)).toBe(30);
  });

  it("is not spent where no target is left", () => {
    const test = testPlane({ blue: { weight: 1, targets: [url(1)] } }, { now: () => 0 });
    for (let i = 0; i < 100; i++) {
      test.serve({ blue: { weight: 1, targets: [url(1)] } });
      send(test.plane, GET, () => {
        test.serve({ blue: { weight: 1, targets: [] } });
        return "reset";
      });
    }
    test.serve({ blue: { weight: 1, targets: [url(1)] } });
    expect(repeated(test.plane, 100)).toBe(40); // of 200 requests a fifth
  });
});
