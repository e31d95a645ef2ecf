import type { IncomingMessage, ServerResponse } from "node:http";
import { EventSource } from "undici";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { closing, eventually } from "../../test/support/open.ts";
import { type PlaneOptions, TEST_CONFIG, testRouter } from "../../test/support/plane.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { upstream } from "../../test/support/upstream.ts";
import { untroubled } from "../../test/support/wire.ts";

new EventSource("http://127.0.0.1:1").close(); // the first one warns that it is an experiment
untroubled();
const keep = closing();
const timeouts = (more: Partial<typeof TEST_CONFIG.timeouts>) => ({
  timeouts: { ...TEST_CONFIG.timeouts, ...more },
});
const EVENTS = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

/** A target of events: each request gets a head and stays open. */
async function eventsTarget(type = "text/event-stream", fields: Record<string, string> = {}) {
  const open: ServerResponse[] = [];
  const lastIds: (string | undefined)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== "/events") return response.end("ok");
    lastIds.push(request.headers["last-event-id"] as string | undefined);
    response.writeHead(200, { "Content-Type": type, ...fields });
    response.flushHeaders();
    open.push(response);
  };
  return { ...keep(await upstream(answer)), open, lastIds };
}

describe.each(ENGINES)("streams of events through the engine $name", ({ create }) => {
  async function router(blue: string, green: string, config: PlaneOptions["config"] = {}) {
    const colors = (weight: number) => ({
      blue: { weight, targets: [blue] },
      green: { weight: 1 - weight, targets: [green] },
    });
    const test = keep(await testRouter(colors(1), { config }, create));
    return {
      ...test,
      count: (i: number) => test.plane.colors[i]!.counters,
      flip: () => test.serve(colors(0)),
    };
  }

  it("come event by event, count as tunnels, and outlive a flip", async () => {
    const blue = await eventsTarget("text/event-stream; charset=utf-8");
    const test = await router(blue.url, blue.url);
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => test.count(0).tunnels === 1);
    expect(test.count(0).inFlight).toBe(0);
    blue.open[0]!.write("data: 1\n\n");
    await client.until("data: 1\n\n");
    test.flip();
    blue.open[0]!.write("data: 2\n\n");
    await client.until("data: 2\n\n");
    blue.open[0]!.end();
    await client.until(/0\r\n\r\n$/);
    await eventually(() => test.count(0).tunnels === 0);
    expect(test.lines[0]).toMatchObject({ status: 200, outcome: "answered" });
  });

  it("end after the event under way, so that an EventSource goes on at the other color where it was", async () => {
    const [blue, green] = [await eventsTarget(), await eventsTarget()];
    const test = await router(blue.url, green.url, timeouts({ tunnel_drain: 0 }));
    const source = keep(new EventSource(`${test.url}/events`));
    const heard: string[] = [];
    source.onmessage = ({ data }) => heard.push(data);
    await eventually(() => blue.open.length === 1);
    blue.open[0]!.write("retry: 1\nid: 7\ndata: seven\n\nid: 8\ndata: eig");
    await eventually(() => heard.length === 1);
    test.flip();
    blue.open[0]!.write("ht\n\nid: 9\ndata: nine\n\n");
    await eventually(() => green.open.length === 1);
    expect(heard).toEqual(["seven", "eight"]);
    expect(green.lastIds).toEqual(["8"]);
    green.open[0]!.write("data: more\n\n");
    await eventually(() => heard.length === 3);
    await eventually(() => test.count(0).tunnels === 0);
    expect(blue.open[0]!.destroyed).toBe(true);
    expect(test.plane.colors[0]?.targets[0]?.errors).toBe(0);
    expect(test.lines[0]).toMatchObject({ status: 200, outcome: "answered", color: "blue" });
  });

  it("end cleanly within a second though their event does not, and keep the connection", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url, timeouts({ tunnel_drain: 0 }));
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => blue.open.length === 1);
    blue.open[0]!.write("data: half");
    await client.until("data: half");
    test.flip();
    await client.until(/\r\n0\r\n\r\n$/);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until(/\r\n\r\nok$/);
  });

  it("may be silent for longer than stream_idle", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url, timeouts({ stream_idle: 20 }));
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => test.count(0).tunnels === 1);
    const since = test.plane.now();
    await eventually(() => test.plane.now() - since > 300);
    blue.open[0]!.write("data: late\n\n");
    await client.until("data: late\n\n");
  });

  it("are answered when their client has had enough", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url);
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => test.count(0).tunnels === 1);
    const since = test.plane.now();
    await eventually(() => test.plane.now() - since > 20);
    client.close();
    await eventually(() => test.lines.length === 1 && blue.open[0]!.destroyed);
    expect(test.lines[0]).toMatchObject({ status: 200, outcome: "answered" });
    expect(test.count(0).tunnels).toBe(0);
  });

  it("are cut, and blame the target, where it breaks off", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url);
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => test.count(0).tunnels === 1);
    blue.open[0]!.write("data: 1\n\n");
    await client.until("data: 1");
    blue.open[0]!.destroy();
    expect(await client.untilClosed()).not.toMatch(/0\r\n\r\n$/);
    await eventually(() => test.lines.length === 1);
    expect(test.lines[0]).toMatchObject({ outcome: "truncated" });
  });

  it("are ended before a drain cuts them", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url);
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => test.count(0).tunnels === 1);
    test.plane.lastCall();
    await client.until(/0\r\n\r\n$/);
  });

  it("are told from other long answers, which are in flight until they end", async () => {
    const blue = await eventsTarget("application/x-ndjson");
    const test = await router(blue.url, blue.url, timeouts({ tunnel_drain: 0 }));
    const client = keep(await RawClient.connect(test.port));
    client.send(EVENTS);
    await eventually(() => blue.open.length === 1);
    blue.open[0]!.write("{}\n");
    await client.until("{}\n");
    test.flip();
    expect([test.count(0).inFlight, test.count(0).tunnels]).toEqual([1, 0]);
    blue.open[0]!.end("[]\n");
    await client.until(/\[\]\n\r\n0\r\n\r\n$/);
  });

  it("end with the connection for a client of HTTP/1.0", async () => {
    const blue = await eventsTarget();
    const test = await router(blue.url, blue.url, timeouts({ tunnel_drain: 0 }));
    const client = keep(await RawClient.connect(test.port));
    client.send("GET /events HTTP/1.0\r\nHost: a\r\n\r\n");
    await eventually(() => blue.open.length === 1);
    blue.open[0]!.write("data: 1\n\n");
    await client.until("data: 1\n\n");
    test.flip();
    expect(await client.untilClosed()).toMatch(/data: 1\n\n$/);
    expect(client.reset).toBe(false);
  });
});
