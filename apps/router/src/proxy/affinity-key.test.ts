import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { testPlane } from "../../test/support/plane.ts";
import { assignedOf, type RequestSpec, send, url } from "../../test/support/requests.ts";
import type { AffinityConfig } from "../config/config.ts";

const colors = (blue: number, green: number, health: "up" | "down" = "up") => ({
  blue: { weight: blue, targets: [{ url: url(1), health }] },
  green: { weight: green, targets: [url(2)] },
  red: { weight: 0, targets: [url(3)] },
});

const plane = (affinity: AffinityConfig, table = colors(60, 40)) =>
  testPlane(table, { config: { affinity }, random: seeded(1) });

const KINDS: readonly [AffinityConfig, (id: string) => RequestSpec][] = [
  [{ kind: "cookie", name: "uid" }, (id) => ({ headers: { cookie: `a=b; uid=${id}` } })],
  [{ kind: "header", name: "X-User-Id" }, (id) => ({ headers: { "x-user-id": id } })],
  [{ kind: "query", name: "user" }, (id) => ({ path: `/predict?v=1&user=${id}` })],
];

describe.each(KINDS)("by $kind", (affinity, spec) => {
  it("gives 60 % of 1,000 ids to the color of weight 60, within 2 points", () => {
    const { blue } = assignedOf(plane(affinity).plane, 1000, (i) => spec(`user-${i}`));
    expect(Math.abs(blue! - 600)).toBeLessThanOrEqual(20);
  });

  it("keeps a user's color, and moves users only to a color that is raised", () => {
    const test = plane(affinity, colors(95, 5));
    const colorOf = (i: number) => send(test.plane, spec(`u${i}`)).exchange.assigned.name;
    const all = () => Array.from({ length: 500 }, (_, i) => colorOf(i));
    let before = all();
    expect(all()).toEqual(before);
    for (const green of [10, 25, 50, 100]) {
      test.serve(colors(100 - green, green));
      const after = all();
      expect(after.some((color, i) => before[i] === "green" && color !== "green")).toBe(false);
      before = after;
    }
    expect(new Set(before)).toEqual(new Set(["green"]));
  });

  it("says the same in every router and after every restart", () => {
    const [one, other] = [plane(affinity).plane, plane(affinity).plane];
    for (let i = 0; i < 200; i++) {
      const of = (by: typeof one) => send(by, spec(`u${i}`)).exchange.assigned.name;
      expect(of(one)).toBe(of(other));
    }
  });

  it("moves a user of a failing color the same way every time, and home again", () => {
    const test = plane(affinity);
    const ports = () => Array.from({ length: 200 }, (_, i) => send(test.plane, spec(`u${i}`)).ports[0]);
    const home = ports();
    test.serve(colors(60, 40, "down"));
    expect(new Set(ports())).toEqual(new Set([2]));
    test.serve(colors(60, 40));
    expect(ports()).toEqual(home);
  });

  it("leaves a failing color only for colors with weight, or the standby", () => {
    const none = { weight: 100, targets: [{ url: url(1), health: "down" as const }] };
    const table = {
      blue: none,
      green: { weight: 0, targets: [url(2)] },
      red: { weight: 0, targets: [url(3)] },
    };
    const test = plane(affinity, table);
    expect(send(test.plane, spec("u1")).status).toBe(503);
    test.serve(table, { standby: "red" });
    for (let i = 0; i < 100; i++) expect(send(test.plane, spec(`u${i}`)).ports).toEqual([3]);
  });

  it("leaves no evidence: users are not independent draws", () => {
    const { plane: by } = plane(affinity);
    for (let i = 0; i < 100; i++) send(by, spec(`u${i}`));
    expect(by.report().colors.blue?.evidence.requests).toBe(0);
  });

  it("orders users anew when a rollout brings its own salt", () => {
    const test = plane(affinity, colors(50, 50));
    const all = () =>
      Array.from({ length: 400 }, (_, i) => send(test.plane, spec(`u${i}`)).exchange.assigned.name);
    const before = all();
    test.serve(colors(50, 50), { salt: "rollout-7" });
    const same = all().filter((color, i) => color === before[i]).length;
    expect(Math.abs(same - 200)).toBeLessThan(33);
  });
});

describe("a client without a cookie", () => {
  const cookie: AffinityConfig = { kind: "cookie", name: "uid" };

  it("is given one, and that same request already goes by it", () => {
    const { plane: by } = plane(cookie);
    for (let i = 0; i < 100; i++) {
      const { exchange } = send(by);
      expect(exchange.setCookie).toMatch(/^uid=[\w-]{36}; Path=\/; HttpOnly; SameSite=Lax$/);
      const given = exchange.setCookie!.split(";")[0]!;
      const next = send(by, { headers: { cookie: given } }).exchange;
      expect(next.assigned.name).toBe(exchange.assigned.name);
      expect(next.setCookie).toBeUndefined();
    }
  });

  it.each(["", "uid", "uid=", "UID=7", "uid=; a=1", ";;;", "=7"])("is one whose cookie says %j", (field) => {
    expect(send(plane(cookie).plane, { headers: { cookie: field } }).exchange.setCookie).toBeDefined();
  });

  it.each(["x".repeat(16_000), "ü€", '"quoted"', "a=b", "../..", "%00"])(
    "is not one whose key is odd",
    (key) => {
      const { plane: by } = plane(cookie);
      const of = () => send(by, { headers: { cookie: `uid=${key}` } }).exchange;
      expect(of().setCookie).toBeUndefined();
      expect(of().assigned).toBe(of().assigned);
    },
  );
});

it("draws requests without a header or parameter as if there were no affinity, and sets nothing", () => {
  for (const affinity of [KINDS[1]![0], KINDS[2]![0]]) {
    const { plane: by } = plane(affinity);
    const { blue } = assignedOf(by, 2000);
    expect(Math.abs(blue! - 1200)).toBeLessThan(3.3 * Math.sqrt(480));
    expect(send(by).exchange.setCookie).toBeUndefined();
    expect(send(by, { path: "/?user=", headers: { "x-user-id": "" } }).exchange.setCookie).toBeUndefined();
  }
});

it("takes an empty header for none, or all who send it would be one user", () => {
  const { plane: by } = plane({ kind: "header", name: "x-user-id" });
  const { blue } = assignedOf(by, 1000, () => ({ headers: { "x-user-id": "" } }));
  expect(Math.abs(blue! - 600)).toBeLessThan(3.3 * Math.sqrt(240));
});

it("looks a configured header up whatever its case", () => {
  const { plane: by } = plane({ kind: "header", name: "X-USER-ID" });
  const all = Array.from(
    { length: 50 },
    () => send(by, { headers: { "x-user-id": "7" } }).exchange.assigned.name,
  );
  expect(new Set(all).size).toBe(1);
});
