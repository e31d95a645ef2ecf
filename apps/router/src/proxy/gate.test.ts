import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { closing, eventually } from "../../test/support/open.ts";
import { type PlaneOptions, testPlane, testRouter } from "../../test/support/plane.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { type Upstream, upstream } from "../../test/support/upstream.ts";
import { GET, muchLater } from "../../test/support/wire.ts";
import type { Gate } from "../core/gate.ts";

const keep = closing();
const pause = (more: Partial<Gate & { kind: "pause" }> = {}): Gate => ({
  kind: "pause",
  max: 1000,
  timeout: 60_000,
  until: Date.now() + 600_000,
  ...more,
});
const maintenance: Gate = { kind: "maintenance", message: "Back at <noon>.", retryAfter: 120 };
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const UPGRADE = get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n");

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

describe.each(ENGINES)("a closed gate before the engine $name", ({ name, create }) => {
  /** A router before blue and green, of which blue has all weight, with the gate in this state. */
  async function gated(gate: Gate | undefined, config: PlaneOptions["config"] = {}, now?: () => number) {
    const [blue, green] = [keep(await upstream()), keep(await upstream())];
    const colors = (weight: number) => ({
      blue: { weight, targets: [blue.url] },
      green: { weight: 1 - weight, targets: [green.url] },
    });
    const router = keep(
      await testRouter(colors(1), { config, snapshot: { gate }, ...(now && { now }) }, create),
    );
    return {
      router,
      blue,
      green,
      set: (next: Gate | undefined, weight = 1) => router.serve(colors(weight), { gate: next }),
    };
  }

  const client = async (port: number) => keep(await RawClient.connect(port));
  const paths = ({ seen }: Upstream) => seen.map(({ url }) => url);
  type Gated = Awaited<ReturnType<typeof gated>>;
  const held = ({ router }: Gated) => router.plane.report().colors.none?.held;
  const endings = ({ router }: Gated) => router.plane.report().colors.none?.gated;

  it("holds requests and lets them go in order, to the color of that moment", async () => {
    const test = await gated(pause());
    const all: RawClient[] = [];
    for (let i = 0; i < 200; i++) {
      const one = await client(test.router.port);
      one.send(get(`/${i}`));
      await eventually(() => held(test) === i + 1);
      all.push(one);
    }
    expect(test.router.plane.colors.map(({ counters }) => counters.inFlight)).toEqual([0, 0]);
    test.set(undefined, 0);
    for (const one of all) await one.until(/200 OK[\s\S]*ok/);
    expect(test.router.plane.gate).toBeUndefined();
    expect(paths(test.blue)).toEqual([]);
    expect(test.router.lines.map(({ path }) => path).toSorted()).toEqual(
      all.map((_, i) => `/${i}`).toSorted(),
    );
    expect(test.router.plane.colors[1]?.counters.assigned).toBe(200);
    expect(held(test)).toBe(0);
    expect(endings(test)).toEqual({ resumed: 200 });
  });

  it("stays closed over a flip, a failed check and a pause anew", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(GET);
    await eventually(() => held(test) === 1);
    test.set(pause(), 0);
    test.set(pause({ max: 5 }));
    expect(held(test)).toBe(1);
    expect(test.blue.seen).toHaveLength(0);
    test.set(undefined);
    await one.until("200 OK");
  });

  it("answers 503 where as many wait already as may, and keeps the connection", async () => {
    const test = await gated(pause({ max: 1 }));
    const [first, second] = [await client(test.router.port), await client(test.router.port)];
    first.send(get("/first"));
    await eventually(() => held(test) === 1);
    second.send(get("/second"));
    const text = await second.until("as many wait already as may");
    expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(text).toMatch(/\r\nRetry-After: 5\r\n/);
    expect(text).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/);
    expect(text).toMatch(/\r\nX-Request-Id: /);
    test.set(undefined);
    second.send(get("/third"));
    await second.until("200 OK");
    await first.until("200 OK");
    expect(endings(test)).toEqual({ full: 1, resumed: 1 });
    expect(test.router.plane.report().colors.none?.requests).toEqual({ "GET 503": 1 });
  });

  it("answers 503 to those whose time is up, and holds those that came later", async () => {
    const test = await gated(pause({ timeout: 60_000 }));
    const [first, second] = [await client(test.router.port), await client(test.router.port)];
    first.send(get("/first"));
    await eventually(() => held(test) === 1);
    test.set(pause({ timeout: 1 }));
    await first.until("this one has waited for 0.001 s");
    test.set(pause({ timeout: 60_000 }));
    second.send(get("/second"));
    await eventually(() => held(test) === 1);
    test.set(undefined);
    await second.until("200 OK");
    expect(endings(test)).toEqual({ timeout: 1, resumed: 1 });
    const line = test.router.lines.find(({ path }) => path === "/first");
    expect(line).toMatchObject({ status: 503, outcome: "refused", color: "none", attempts: 0 });
    expect(line!.duration_ms).toBeGreaterThan(0);
  });

  it("opens by itself when the pause is over, though nobody tells it", async () => {
    const test = await gated(pause({ until: Date.now() + 30 }));
    const one = await client(test.router.port);
    one.send(GET);
    await one.until("200 OK");
    test.set(pause({ until: Date.now() - 1 }));
    expect(test.router.plane.gate).toBeUndefined();
  });

  it("forgets clients that go away, and blames nobody", async () => {
    const test = await gated(pause());
    const [one, two] = [await client(test.router.port), await client(test.router.port)];
    one.send(get("/gone"));
    two.send(`${"POST /sent HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"}ab`);
    await eventually(() => held(test) === 2);
    await muchLater(test.router);
    one.close();
    two.socket.resetAndDestroy();
    await eventually(() => held(test) === 0);
    expect(endings(test)).toEqual({ aborted: 2 });
    await eventually(() => test.router.lines.length === 2);
    expect(test.router.lines.map(({ status, outcome }) => [status, outcome])).toEqual([
      [499, "client_abort"],
      [499, "client_abort"],
    ]);
    test.set(undefined);
    const three = await client(test.router.port);
    three.send(get("/here"));
    await three.until("200 OK");
    expect(paths(test.blue)).toEqual(["/here"]);
    expect(test.router.plane.colors[0]?.targets[0]?.errors).toBe(0);
  });

  it("takes no more of a large body than it can hold, and passes it on whole", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    const body = "x".repeat(8 * 1024 * 1024);
    one.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    let taken = false;
    one.socket.write(body, () => {
      taken = true;
    });
    await eventually(() => held(test) === 1);
    for (let i = 0; i < 50; i++) await fetch(test.blue.url); // anything that takes the machine a while
    expect(taken).toBe(false);
    test.set(undefined);
    await one.until("200 OK");
    expect(test.blue.seen.at(-1)?.body).toHaveLength(body.length);
  });

  it("asks for a body only when the request may begin", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    await eventually(() => held(test) === 1);
    expect(one.text).toBe("");
    test.set(undefined);
    await one.until("100 Continue");
    one.send("hi");
    await one.until("200 OK");
  });

  it("holds pipelined requests behind the first, and answers them in order", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
    await eventually(() => held(test) === 1);
    test.set(undefined);
    await one.untilClosed();
    expect(paths(test.blue)).toEqual(["/1", "/2", "/3"]);
    expect(one.text.match(/200 OK/g)).toHaveLength(3);
  });

  // Node's own server takes a closed half for a client that has gone away
  it.runIf(name === "wire")("answers a client that closed its half together with its request", async () => {
    const test = await gated(pause(), {}, () => 1000); // whatever the machine takes, it was at once
    const socket = connect({ port: test.router.port, host: "127.0.0.1", allowHalfOpen: true });
    keep({ close: () => socket.destroy() });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.end(GET);
    await eventually(() => held(test) === 1);
    test.set(undefined);
    await eventually(() => text.includes("200 OK"));
  });

  it("holds an upgrade, with what came ahead", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    let ahead = "";
    test.blue.server.on("upgrade", (_request, socket, head: Buffer) => {
      keep({ close: () => socket.destroy() });
      socket.on("error", () => {});
      ahead += head.toString("latin1");
      socket.on("data", (chunk: Buffer) => {
        ahead += chunk.toString("latin1");
      });
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
    one.send(`${UPGRADE}one`);
    await eventually(() => held(test) === 1);
    one.send("two");
    test.set(undefined);
    await one.until("101 Switching");
    one.send("three");
    await eventually(() => ahead === "onetwothree");
  });

  it("notices that the client of a held upgrade goes away", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(UPGRADE);
    await eventually(() => held(test) === 1);
    await muchLater(test.router);
    one.close();
    await eventually(() => held(test) === 0);
    expect(endings(test)).toEqual({ aborted: 1 });
  });

  const override = {
    override: { header: "x-sluice-color", cookie: undefined, from: ["127.0.0.0/8"], secret: undefined },
  };

  it.each([["pause", pause()] as const, ["maintenance", maintenance] as const])(
    "lets those through whom an override sends to a color: %s",
    async (_name, gate) => {
      const test = await gated(gate, override);
      const one = await client(test.router.port);
      one.send(get("/test", "X-Sluice-Color: green\r\n"));
      await one.until("200 OK");
      expect(paths(test.green)).toEqual(["/test"]);
      expect(endings(test)).toEqual({ overridden: 1 });
    },
  );

  it("says during maintenance what it was told to say, to old clients, too", async () => {
    const test = await gated(maintenance);
    const one = await client(test.router.port);
    one.send(get("/"));
    const text = await one.until("Back at <noon>.");
    expect(text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(text).toMatch(/\r\nRetry-After: 120\r\n/);
    expect(text).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/);
    const old = await client(test.router.port);
    old.send("GET / HTTP/1.0\r\n\r\n");
    expect(await old.untilClosed()).toContain("Back at <noon>.");
    const head = await client(test.router.port);
    head.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await head.untilClosed()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\n\r\n$/);
    const upload = await client(test.router.port);
    upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
    expect(await upload.untilClosed()).toMatch(/\r\nConnection: close\r\n/);
    expect(endings(test)).toEqual({ maintenance: 4 });
    expect(test.router.plane.report().colors.none?.requests).toMatchObject({ "GET 503": 2, "POST 503": 1 });
  });

  it("gives a browser a page, in which the message is text", async () => {
    const test = await gated(maintenance);
    const one = await client(test.router.port);
    one.send(get("/", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nConnection: close\r\n"));
    const text = await one.untilClosed();
    expect(text).toMatch(/\r\nContent-Type: text\/html; charset=utf-8\r\n/);
    expect(text).toContain("Back at &#60;noon&#62;.");
    const json = await client(test.router.port);
    json.send(get("/", "Accept: text/html;q=0.5, application/json\r\nConnection: close\r\n"));
    expect(await json.untilClosed()).toContain("application/problem+json");
  });

  it("turns away those that wait when maintenance begins", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(GET);
    await eventually(() => held(test) === 1);
    test.set(maintenance);
    await one.until("Back at <noon>.");
    test.set(undefined);
    one.send(GET);
    await one.until("200 OK");
  });

  it("answers those that wait before it is stopped, and cuts nobody", async () => {
    const test = await gated(pause());
    const one = await client(test.router.port);
    one.send(GET);
    await eventually(() => held(test) === 1);
    test.router.plane.lastCall();
    const text = await one.until("the router is about to stop");
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(endings(test)).toEqual({ stopping: 1 });
  });
});
