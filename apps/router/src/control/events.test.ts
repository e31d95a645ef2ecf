import { get, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerType, serve } from "@hono/node-server";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { Hono } from "hono";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GREEN, testPlane } from "../../test/support/control-plane.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import type { AdminEnv } from "./admin/env.ts";
import { streamEvents } from "./admin/stream.ts";
import { EventHub, type StreamEvent } from "./events.ts";

describe("the hub of events", () => {
  it("sends what was missed to whoever comes back, and all that it keeps to whoever is unknown", () => {
    const hub = new EventHub("boot");
    for (const n of [1, 2, 3]) hub.publish("change", { n });
    const missed = (lastId?: string) => {
      const seen: StreamEvent[] = [];
      hub.subscribe((event) => seen.push(event), lastId)();
      return seen.map(({ data }) => (data as { n: number }).n);
    };
    expect(missed()).toEqual([]);
    expect(missed("boot-2")).toEqual([3]);
    expect(missed("boot-3")).toEqual([]);
    expect(missed("another-3")).toEqual([1, 2, 3]);
  });

  it("keeps the last thousand, and reports not at all", () => {
    const hub = new EventHub("boot");
    for (let n = 1; n <= 1500; n++) hub.publish("health", { n });
    hub.flash("report", {});
    const seen: StreamEvent[] = [];
    hub.subscribe((event) => seen.push(event), "boot-1");
    expect(seen).toHaveLength(1000);
    expect(seen[0]!.data).toEqual({ n: 501 });
  });
});

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

async function listening(fetch: Parameters<typeof serve>[0]["fetch"]): Promise<number> {
  const server: ServerType = serve({ fetch, port: 0, hostname: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  ended.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function served() {
  const parts = await testPlane();
  return { ...parts, port: await listening(parts.plane.adminApp.fetch) };
}

/** Opens the stream on a real socket and collects what comes. */
async function listen(port: number, headers: Record<string, string> = {}) {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const response = await new Promise<IncomingMessage>((resolve) =>
    get({ port, host: "127.0.0.1", path: "/admin/events", headers }, resolve),
  );
  ended.push(() => response.destroy());
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
  });
  response.on("error", () => {}).on("data", (chunk: Buffer) => parser.feed(chunk.toString()));
  return { events, comments, response };
}

describe("GET /admin/events on a real socket", () => {
  it("tells changes, health and reports as they come, with a comment every 15 s", async () => {
    const { port, call, clock, probe } = await served();
    const { events, comments, response } = await listen(port);
    expect(response.headers["content-type"]).toBe("text/event-stream");
    await call("POST", "/admin/flip", { to: "blue", reason: "test" });
    probe.down(GREEN);
    await clock.advance(15_000);
    await vi.waitFor(() => expect(comments).toHaveLength(1));
    const of = (type: string) =>
      events.filter(({ event }) => event === type).map(({ data }) => JSON.parse(data));
    expect(of("change")).toMatchObject([
      { kind: "flip", why: "test", to: { blue: 100, green: 0 }, revision: 2 },
    ]);
    expect(of("health")).toMatchObject([
      { colors: ["green"], target: GREEN, from: "up", to: "down", why: "connection refused" },
    ]);
    expect(of("report")).toHaveLength(15);
    expect(of("report")[0]).toMatchObject({
      revision: 2,
      colors: [{ name: "blue", share: 1, in_flight: 0, rate: 0 }, { name: "green" }],
    });
  });

  it("sends again what a client missed that comes back with Last-Event-ID", async () => {
    const { port, call } = await served();
    const first = await listen(port);
    await call("POST", "/admin/flip", { to: "blue" });
    await vi.waitFor(() => expect(first.events).toHaveLength(1));
    first.response.destroy();
    await call("POST", "/admin/flip", { to: "green" });
    const again = await listen(port, { "Last-Event-ID": first.events[0]!.id! });
    await vi.waitFor(() => expect(again.events).toHaveLength(1));
    expect(JSON.parse(again.events[0]!.data).to).toEqual({ blue: 0, green: 100 });
  });

  it("forgets a client that goes away", async () => {
    const { port, clock } = await served();
    const timers = clock.timers;
    const { response } = await listen(port);
    expect(clock.timers).toBe(timers + 1);
    response.destroy();
    await vi.waitFor(() => expect(clock.timers).toBe(timers));
  });

  it("lets go of a client that does not read, and keeps serving the others", async () => {
    const [hub, clock] = [new EventHub("boot"), new FakeClock()];
    const app = new Hono<AdminEnv>().get("/admin/events", (c) =>
      streamEvents(c, { events: hub, clock, leaving: new AbortController().signal }),
    );
    const port = await listening(app.fetch);
    const deaf = await new Promise<IncomingMessage>((resolve) =>
      get({ port, host: "127.0.0.1", path: "/admin/events" }, resolve),
    );
    deaf.on("error", () => {}).pause();
    const { events } = await listen(port);
    expect(hub.listeners).toBe(2);
    let told = 0;
    await vi.waitFor(
      async () => {
        hub.publish("change", { told: ++told, text: "x".repeat(100_000) });
        await vi.waitFor(() => expect(events).toHaveLength(told), { interval: 1 });
        expect(hub.listeners).toBe(1);
      },
      { timeout: 15_000, interval: 0 },
    );
    hub.publish("change", { told: "last" });
    await vi.waitFor(() => expect(events.at(-1)!.data).toContain("last"));
    await vi.waitFor(() => expect(deaf.destroyed || deaf.closed || deaf.resume().readableEnded).toBe(true));
  });
});

describe("a client of a change that goes away while it waits", () => {
  it("leaves no timer and no listener behind, and the change stays", async () => {
    const { port, channel, clock, plane } = await served();
    channel.count({ blue: { inFlight: 1 } });
    const timers = clock.timers;
    const headers = { "Content-Type": "application/json" };
    const path = "/admin/flip?wait=drained&timeout=1h";
    const asked = request({ port, host: "127.0.0.1", path, method: "POST", headers });
    asked.on("error", () => {}).end('{"to":"green"}');
    await vi.waitFor(() => expect(clock.timers).toBe(timers + 2));
    asked.destroy();
    await vi.waitFor(() => expect(clock.timers).toBe(timers));
    expect(plane.store.view.routing.weights).toEqual({ blue: 0, green: 100 });
  });
});

describe("a body over the limit on a real socket", () => {
  it("is answered 413 without being read to its end", async () => {
    const { port } = await served();
    const headers = { "Content-Type": "application/json", "Content-Length": "100000000" };
    const status = await new Promise((resolve) => {
      const asked = request({ port, host: "127.0.0.1", path: "/admin/weights", method: "POST", headers });
      asked.on("error", () => {}).on("response", (response) => resolve(response.statusCode));
      asked.write("{");
    });
    expect(status).toBe(413);
  });
});
