import { beforeEach, describe, expect, it } from "vitest";
import { pending, testPlane } from "../../test/support/control-plane.ts";
import { settle } from "../../test/support/fake-clock.ts";

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
beforeEach(async () => {
  parts = await testPlane();
});

describe("?wait=drained", () => {
  const path = (timeout = "") => `/admin/weights?wait=drained${timeout}`;
  const inFlight = (blue: number, green: number) =>
    parts.channel.count({ blue: { inFlight: blue }, green: { inFlight: green } });

  it("answers only when the last request of the emptied color has ended", async () => {
    inFlight(2, 5);
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await parts.clock.advance(3000);
    inFlight(1, 5);
    parts.channel.report();
    await settle();
    expect(call.answer).toBeUndefined();
    inFlight(0, 5);
    parts.channel.report();
    await settle();
    expect(call.answer).toMatchObject({ status: 200, body: { drained: true, in_flight: { blue: 0 } } });
    expect(call.answer!.body.in_flight).not.toHaveProperty("green");
  });

  it("believes no worker that does not serve by the new epoch yet", async () => {
    parts.channel.acknowledges = false;
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await parts.clock.advance(16_000); // longer than any change waits for workers alone
    expect(call.answer).toBeUndefined();
    parts.channel.acknowledge();
    await parts.clock.advance(250);
    expect(call.answer).toMatchObject({ body: { drained: true } });
  });

  it("adds up what all workers have in flight", async () => {
    parts.channel.count({ blue: { inFlight: 1 } }, 1);
    const call = pending(parts.call("POST", path(), { blue: 0, green: 100 }));
    await settle();
    expect(call.answer).toBeUndefined();
    parts.channel.count({ blue: { inFlight: 0 } }, 1);
    parts.channel.report(1);
    await settle();
    expect(call.answer).toMatchObject({ body: { drained: true } });
  });

  it("answers at the time-out what is still there", async () => {
    inFlight(3, 0);
    const call = pending(parts.call("POST", path("&timeout=2s"), { blue: 0, green: 100 }));
    await parts.clock.advance(1999);
    expect(call.answer).toBeUndefined();
    await parts.clock.advance(1);
    expect(call.answer).toMatchObject({ status: 200, body: { drained: false, in_flight: { blue: 3 } } });
  });

  it("uses timeouts.drain where no time-out is given, and works for every change", async () => {
    for (const [verb, body] of [
      ["flip", { to: "green" }],
      ["rollback", undefined],
      ["undo", undefined],
    ] as const) {
      inFlight(1, 1);
      const call = pending(parts.call("POST", `/admin/${verb}?wait=drained`, body));
      await parts.clock.advance(29_999);
      expect(call.answer, verb).toBeUndefined();
      await parts.clock.advance(1);
      expect(call.answer, verb).toMatchObject({ body: { drained: false } });
    }
  });

  it("leaves nothing behind when the client goes away", async () => {
    inFlight(1, 0);
    const timers = parts.clock.timers;
    const client = new AbortController();
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ blue: 0, green: 1 });
    const request = new Request(`http://localhost${path()}`, {
      method: "POST",
      headers,
      body,
      signal: client.signal,
    });
    const answer = parts.plane.adminApp.request(request);
    await settle();
    expect(parts.clock.timers).toBe(timers + 2);
    client.abort();
    expect((await answer).status).toBe(200);
    expect(parts.clock.timers).toBe(timers);
    expect(parts.plane.store.view.routing.weights).toEqual({ blue: 0, green: 1 });
  });
});
