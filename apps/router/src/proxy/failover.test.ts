import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test.shared.ts";
import { type Colors, testPlane } from "../../test/support/plane.ts";
import { send, url } from "../../test/support/requests.ts";

const color = (weight: number, port: number, health: "up" | "down" | "starting" | "ejected" = "up") => ({
  weight,
  targets: [{ url: url(port), health }],
});

const ports = (colors: Colors, standby?: string, failover = true) => {
  const { plane } = testPlane(colors, { config: { failover }, snapshot: { standby }, random: seeded(1) });
  const counts: Record<number, number> = {};
  for (let i = 0; i < 400; i++) {
    const { ports: tried, status } = send(plane);
    const at = status === 503 ? 503 : tried.at(-1)!;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
};

describe("a color without an available target", () => {
  it.each(["down", "starting", "ejected"] as const)("fails over to colors with weight (%s)", (health) => {
    expect(ports({ blue: color(9, 1, health), green: color(1, 2), red: color(0, 3) })).toEqual({ 2: 400 });
  });

  it("fails over when it has no target at all", () => {
    expect(ports({ blue: { weight: 9, targets: [] }, green: color(1, 2) })).toEqual({ 2: 400 });
  });

  it("prefers any color with weight to the standby", () => {
    const colors = { blue: color(9, 1, "down"), green: color(1, 2), red: color(0, 3) };
    expect(ports(colors, "red")).toEqual({ 2: 400 });
  });

  it("goes to the standby when no color with weight is left", () => {
    const colors = {
      blue: color(9, 1, "down"),
      green: color(1, 2, "down"),
      red: color(0, 3),
      grey: color(0, 4),
    };
    expect(ports(colors, "red")).toEqual({ 3: 400 });
  });

  it("never goes to another color of weight 0", () => {
    const colors = { blue: color(1, 1, "down"), green: color(0, 2), red: color(0, 3, "down") };
    expect(ports(colors)).toEqual({ 503: 400 });
    expect(ports(colors, "red")).toEqual({ 503: 400 });
  });

  it("answers for itself where failover is off", () => {
    const counts = ports({ blue: color(1, 1, "down"), green: color(1, 2), red: color(0, 3) }, "red", false);
    expect(Object.keys(counts)).toEqual(["2", "503"]);
    expect(Math.abs(counts[503]! - 200)).toBeLessThan(33);
  });
});

describe("inside a color", () => {
  it("only targets that are up are picked", () => {
    const targets = (["down", "up", "ejected", "starting", "up"] as const).map((health, i) => ({
      url: url(i + 1),
      health,
    }));
    expect(Object.keys(ports({ blue: { weight: 1, targets } }))).toEqual(["2", "5"]);
  });

  it("its other targets are tried before another color", () => {
    const { plane } = testPlane({
      blue: { weight: 1, targets: [url(1), url(2)] },
      green: { weight: 0, targets: [url(3)] },
    });
    const { ports: tried } = send(plane, {}, (_, attempt) => (attempt === 1 ? "connect_failed" : "answered"));
    expect(tried.toSorted()).toEqual([1, 2]);
  });

  it("the target that failed is tried again only when nothing else is left", () => {
    const { plane } = testPlane({ blue: color(1, 1) }, { config: { failover: true } });
    expect(send(plane, {}, () => "connect_failed").ports).toEqual([1, 1]);
  });
});

describe("a repetition", () => {
  it("goes to another color when its own has no other target", () => {
    const { plane } = testPlane(
      { blue: color(1, 1), green: color(0, 2) },
      { snapshot: { standby: "green" } },
    );
    const { ports: tried, exchange } = send(plane, {}, (lease) =>
      lease.target.port === 1 ? "connect_failed" : "answered",
    );
    expect(tried).toEqual([1, 2]);
    expect(exchange.assigned.name).toBe("blue");
    expect(exchange.color.name).toBe("green");
  });

  it("leaves a color that was emptied meanwhile, though it has other targets", () => {
    const both = [url(1), url(2)];
    const test = testPlane({ blue: { weight: 1, targets: both }, green: color(0, 3) });
    const { ports: tried } = send(test.plane, {}, (_, attempt) => {
      if (attempt > 1) return "answered";
      test.serve({ blue: { weight: 0, targets: both }, green: color(1, 3) }, { standby: "blue" });
      return "reset";
    });
    expect(tried[1]).toBe(3);
  });

  it("stays in a color that was emptied when there is nowhere else", () => {
    const both = [url(1), url(2)];
    const test = testPlane({ blue: { weight: 1, targets: both }, green: color(0, 3) });
    const { ports: tried, status } = send(test.plane, {}, (_, attempt) => {
      if (attempt > 1) return "answered";
      test.serve({ blue: { weight: 0, targets: both }, green: color(1, 3, "down") });
      return "reset";
    });
    expect(tried.toSorted()).toEqual([1, 2]);
    expect(status).toBe(200);
  });

  it("is not made when everything went down meanwhile: the request ends as its attempt did", () => {
    const test = testPlane({ blue: color(1, 1) });
    const sent = send(test.plane, {}, () => {
      test.serve({ blue: color(1, 1, "down") });
      return "reset";
    });
    expect(sent).toMatchObject({ ports: [1], status: 502 });
  });
});
