import { describe, expect, it } from "vitest";
import { pause } from "../../test/support/gated.ts";
import { eventually } from "../../test/support/open.ts";
import { testPlane } from "../../test/support/plane.ts";

describe("the gate", () => {
  const facts = { method: "GET", path: "/", peer: "127.0.0.1", header: () => undefined };
  const blue = { blue: { weight: 1, targets: [] } };

  it("lets go in the order of arrival, also of those that come while it lets go", async () => {
    const { plane, serve } = testPlane(blue, { snapshot: { gate: pause({ max: 10_000 }) } });
    const order: number[] = [];
    const enter = (i: number) =>
      plane.gate!.enter(facts, {
        onRefused: () => order.push(-1),
        onAdmitted: () => {
          order.push(i);
          if (i < 3) enter(2000 + i); // while others still wait
        },
      });
    const tickets = Array.from({ length: 2000 }, (_, i) => enter(i)!);
    tickets[5]!.leave();
    tickets[1999]!.leave();
    tickets[0]!.leave();
    serve(blue, { gate: undefined });
    expect(order.length).toBeLessThan(2000); // not all in one turn
    await eventually(() => plane.gate === undefined);
    const left = new Set([0, 5, 1999]);
    const first = Array.from({ length: 2000 }, (_, i) => i).filter((i) => !left.has(i));
    expect(order).toEqual([...first, 2001, 2002]);
    expect(plane.report().colors.none).toMatchObject({ held: 0, gated: { resumed: 1999, aborted: 3 } });
  });

  it("closes again while it still lets go, and keeps those that are left", async () => {
    const { plane, serve } = testPlane(blue, { snapshot: { gate: pause({ max: 10_000 }) } });
    let admitted = 0;
    for (let i = 0; i < 1000; i++)
      plane.gate!.enter(facts, { onRefused: () => {}, onAdmitted: () => admitted++ });
    serve(blue, { gate: undefined });
    serve(blue, { gate: pause() });
    const then = admitted;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(admitted).toBe(then);
    expect(plane.report().colors.none?.held).toBe(1000 - then);
    serve(blue, { gate: undefined });
    await eventually(() => admitted === 1000);
  });
});
