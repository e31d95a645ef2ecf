import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import {
  client,
  endings,
  gatedBy,
  get,
  held,
  keep,
  paths,
  pause,
  UPGRADE,
} from "../../test/support/gated.ts";
import { eventually } from "../../test/support/open.ts";
import type { RawClient } from "../../test/support/raw-client.ts";
import { GET, muchLater } from "../../test/support/wire.ts";

describe.each(ENGINES)("a pause before the engine $name", ({ name, create }) => {
  const gated = gatedBy(create);

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
  if (name === "wire")
    it("answers a client that closed its half together with its request", async () => {
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
});
