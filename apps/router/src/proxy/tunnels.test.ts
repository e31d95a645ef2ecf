import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket as WsClient } from "ws";
import { ENGINES } from "../../test/conformance/engines.ts";
import { serverMaterial, TestAuthority } from "../../test/support/certificates.ts";
import { closing, eventually } from "../../test/support/open.ts";
import { type PlaneOptions, TEST_CONFIG, TEST_TLS, testRouter } from "../../test/support/plane.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { rawUpstream } from "../../test/support/upstream.ts";
import { socketUpstream } from "../../test/support/web-sockets.ts";
import { SWITCHING, UPGRADE, untroubled } from "../../test/support/wire.ts";
import { PLAIN_UPSTREAM } from "../tls/material.ts";

untroubled();
const keep = closing();
const authority = await TestAuthority.create();
const pair = await authority.issue();
const draining = (tunnel_drain: number | undefined) => ({
  timeouts: { ...TEST_CONFIG.timeouts, tunnel_drain },
});

describe.each(ENGINES)("tunnels of the engine $name", ({ create }) => {
  /** A router of which blue has all weight; `flip` gives it to green, or back. */
  async function router(blue: string, green: string, config: PlaneOptions["config"] = {}) {
    const colors = (weight: number) => ({
      blue: { weight, targets: [blue] },
      green: { weight: 1 - weight, targets: [green] },
    });
    const test = keep(await testRouter(colors(1), { config }, create));
    const count = (i: number) => test.plane.colors[i]!.counters;
    return { ...test, count, flip: (to: "blue" | "green") => test.serve(colors(to === "blue" ? 1 : 0)) };
  }

  /** A client that has been opened; Node's own. */
  async function open(url: string) {
    const client = new WebSocket(`${url.replace("http:", "ws:")}/ws`);
    const messages: unknown[] = [];
    const over: { code: number; clean: boolean }[] = [];
    client.addEventListener("message", ({ data }) => messages.push(data));
    client.addEventListener("close", ({ code, wasClean }) => over.push({ code, clean: wasClean }));
    client.addEventListener("error", () => {});
    await new Promise((resolve) => client.addEventListener("open", resolve, { once: true }));
    keep({ close: () => client.close() });
    return { client, messages, over };
  }

  it("survive a flip, and count as tunnels and not as in flight", async () => {
    const [blue, green] = [keep(await socketUpstream()), keep(await socketUpstream())];
    const test = await router(blue.url, green.url);
    const one = await open(test.url);
    await eventually(() => test.count(0).tunnels === 1);
    expect(test.count(0).inFlight).toBe(0);
    test.flip("green");
    one.client.send("still there?");
    await eventually(() => one.messages.length === 1);
    const two = await open(test.url);
    expect([test.count(0).tunnels, test.count(1).tunnels]).toEqual([1, 1]);
    expect([blue.peers.length, green.peers.length]).toEqual([1, 1]);
    one.client.close(1000);
    two.client.close(1000);
    await eventually(() => test.count(0).tunnels === 0 && test.count(1).tunnels === 0);
    await eventually(() => test.lines.length === 2);
    expect(test.lines.find(({ color }) => color === "blue")).toMatchObject({
      status: 101,
      outcome: "answered",
    });
    expect(test.plane.report().colors.blue?.attempts).toEqual({ answered: 1 });
  });

  it("are closed with 1001 on both sides once tunnel_drain is over, and not before", async () => {
    const [blue, green] = [keep(await socketUpstream()), keep(await socketUpstream())];
    const test = await router(blue.url, green.url, draining(60_000));
    const [one, two] = [await open(test.url), await open(test.url)];
    test.flip("green");
    const three = await open(test.url);
    test.plane.configure({ ...test.plane.config, ...draining(0) });
    await eventually(() => one.over.length === 1 && two.over.length === 1);
    expect([one.over, two.over]).toEqual([[{ code: 1001, clean: true }], [{ code: 1001, clean: true }]]);
    await eventually(() => blue.codes.length === 2);
    expect(blue.codes).toEqual([1001, 1001]);
    expect(three.over).toEqual([]);
    three.client.send("x");
    await eventually(() => three.messages.length === 1);
    await eventually(() => test.count(0).tunnels === 0);
  });

  it("are left alone when their color gets weight again in time", async () => {
    const blue = keep(await socketUpstream());
    const test = await router(blue.url, blue.url, draining(200));
    const one = await open(test.url);
    test.flip("green");
    test.flip("blue");
    const flipped = test.plane.now();
    await eventually(() => test.plane.now() - flipped > 400);
    one.client.send("x");
    await eventually(() => one.messages.length === 1);
    expect(one.over).toEqual([]);
  });

  it("are drained where their target was taken out of a color that keeps its weight", async () => {
    const [blue, other] = [keep(await socketUpstream()), keep(await socketUpstream())];
    const test = await router(blue.url, other.url, draining(0));
    const one = await open(test.url);
    test.serve({ blue: { weight: 1, targets: [other.url] }, green: { weight: 0, targets: [] } });
    await eventually(() => one.over.length === 1);
    expect(one.over[0]).toEqual({ code: 1001, clean: true });
  });

  it("are not drained where an override opened them", async () => {
    const [blue, green] = [keep(await socketUpstream()), keep(await socketUpstream())];
    const override = {
      header: "x-sluice-color",
      cookie: undefined,
      from: ["127.0.0.0/8"],
      secret: undefined,
    };
    const test = await router(blue.url, green.url, { ...draining(0), override });
    const client = new WsClient(`${test.url.replace("http", "ws")}/`, {
      headers: { "X-Sluice-Color": "green" },
    });
    keep({ close: () => client.terminate() });
    await once(client, "open");
    test.flip("blue");
    client.send("x");
    await once(client, "message");
    expect(green.peers).toHaveLength(1);
    expect(test.count(1).tunnels).toBe(1);
  });

  it("are closed between two frames, in the middle of a large compressed message", async () => {
    const blue = keep(
      await socketUpstream(
        (peer) => {
          const large = Buffer.alloc(8 * 1024 * 1024, "abcdefghij0123456789");
          peer.send(large);
        },
        { perMessageDeflate: { threshold: 0 } },
      ),
    );
    const test = await router(blue.url, blue.url, draining(0));
    const client = new WsClient(test.url.replace("http", "ws"), { perMessageDeflate: true });
    keep({ close: () => client.terminate() });
    const messages: Buffer[] = [];
    const troubles: unknown[] = [];
    client.on("message", (data: Buffer) => messages.push(data));
    client.on("error", (error) => troubles.push(error));
    await once(client, "open");
    test.flip("green");
    const [code] = await once(client, "close");
    expect(troubles).toEqual([]); // a frame cut short would be an error
    expect([1001, 1006]).toContain(code);
    expect(code).toBe(1001);
    expect(messages.every(({ length }) => length === 8 * 1024 * 1024)).toBe(true);
  });

  it("are closed in the middle of a fragmented message, with a ping between", async () => {
    let target: import("node:net").Socket | undefined;
    let fromClient = "";
    const blue = keep(
      await rawUpstream((socket) => {
        socket.on("data", (chunk) => {
          if (target === undefined) socket.write(SWITCHING);
          else fromClient += chunk.toString("hex");
          target = socket;
        });
      }),
    );
    const test = await router(blue.url, blue.url, draining(0));
    const client = keep(await RawClient.connect(test.port));
    client.send(UPGRADE);
    await client.until(/101[\s\S]*\r\n\r\n/);
    const fragment = Buffer.from([0x01, 5, ...Buffer.from("Hello")]);
    const ping = Buffer.from([0x89, 0]);
    target!.write(Buffer.concat([fragment, ping, Buffer.from([0x00, 4, ...Buffer.from("wo")])]));
    await client.until("wo");
    test.flip("green");
    target!.write(Buffer.concat([Buffer.from("rd"), Buffer.from([0x80, 1, 0x21])]));
    const closeFrame = Buffer.from([0x88, 2, 3, 0xe9]).toString("latin1");
    const text = await client.until(closeFrame);
    expect(text.endsWith(`word${closeFrame}`)).toBe(true);
    await eventually(() => fromClient.length === 16);
    expect(fromClient).toMatch(/^8882[0-9a-f]{12}$/);
    client.send(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 3, 0xe9]));
    await client.untilClosed();
    expect(client.reset).toBe(false);
    target!.end(Buffer.from([0x88, 2, 3, 0xe9]));
    await eventually(() => blue.sockets.size === 0);
  });

  it("are ended within a second where a side does not answer", async () => {
    const blue = keep(await rawUpstream((socket) => socket.once("data", () => socket.write(SWITCHING))));
    const test = await router(blue.url, blue.url, draining(0));
    const client = keep(await RawClient.connect(test.port));
    client.send(UPGRADE);
    await client.until(/101[\s\S]*\r\n\r\n/);
    test.flip("green");
    await client.untilClosed();
    expect(client.text.endsWith(Buffer.from([0x88, 2, 3, 0xe9]).toString("latin1"))).toBe(true);
    await eventually(() => test.count(0).tunnels === 0 && blue.sockets.size === 0);
  });

  it("are closed before a drain cuts them", async () => {
    const blue = keep(await socketUpstream());
    const test = await router(blue.url, blue.url);
    const one = await open(test.url);
    test.plane.lastCall();
    await eventually(() => one.over.length === 1);
    expect(one.over[0]).toEqual({ code: 1001, clean: true });
    const two = await open(test.url);
    await eventually(() => two.over.length === 1);
    expect(two.over[0]).toEqual({ code: 1001, clean: true });
  });

  it("are closed with 1001 inside TLS, too, with clients and with targets", async () => {
    const blue = keep(await socketUpstream(undefined, {}, pair));
    expect(blue.url).toMatch(/^https:/);
    const material = { ...serverMaterial([pair]), upstream: { ...PLAIN_UPSTREAM, ca: authority.cert } };
    const colors = (weight: number) => ({
      blue: { weight, targets: [blue.url] },
      green: { weight: 1 - weight, targets: [] },
    });
    const config = { ...draining(0), tls: TEST_TLS };
    const test = keep(await testRouter(colors(1), { config, material }, create));
    const client = new WsClient(`${test.url.replace("https", "wss")}/`, { ca: authority.cert });
    keep({ close: () => client.terminate() });
    await once(client, "open");
    client.send("hello");
    expect(String((await once(client, "message"))[0])).toBe("hello");
    expect(test.plane.colors[0]!.counters.tunnels).toBe(1);
    test.serve(colors(0));
    expect((await once(client, "close"))[0]).toBe(1001);
    await eventually(() => blue.codes.length === 1 && test.plane.colors[0]!.counters.tunnels === 0);
    expect(blue.codes).toEqual([1001]);
  });

  it("pass a refused handshake on", async () => {
    const blue = keep(
      await socketUpstream(() => {}, { verifyClient: (_info, done) => done(false, 401, "No") }),
    );
    const test = await router(blue.url, blue.url);
    const client = new WsClient(test.url.replace("http", "ws"));
    client.on("error", () => {});
    const [, response] = await once(client, "unexpected-response");
    expect(response.statusCode).toBe(401);
    response.destroy();
    await eventually(() => test.count(0).inFlight === 0);
    expect(test.count(0).tunnels).toBe(0);
  });

  it("end when their target dies, and blame nobody else", async () => {
    const blue = keep(await socketUpstream());
    const test = await router(blue.url, blue.url);
    const one = await open(test.url);
    blue.peers[0]!.terminate();
    await eventually(() => one.over.length === 1);
    expect(one.over[0]).toEqual({ code: 1006, clean: false });
    await eventually(() => test.count(0).tunnels === 0);
    const two = await open(test.url);
    two.client.send("x");
    await eventually(() => two.messages.length === 1);
  });

  it("slow a target down for a client that does not read", async () => {
    const blue = keep(await socketUpstream((peer) => peer.send(Buffer.alloc(32 * 1024 * 1024))));
    const test = await router(blue.url, blue.url, draining(0));
    const socket = connect({ port: test.port, host: "127.0.0.1" });
    keep({ close: () => socket.destroy() });
    socket.on("error", () => {});
    socket.pause();
    socket.write(UPGRADE.replace("Key: k", "Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"));
    await eventually(() => test.count(0).tunnels === 1 && blue.peers[0]!.bufferedAmount > 0);
    let before = -1;
    while (blue.peers[0]!.bufferedAmount !== before) {
      before = blue.peers[0]!.bufferedAmount;
      for (let i = 0; i < 20; i++) await (await fetch(test.url)).text();
    }
    expect(before).toBeGreaterThan(8 * 1024 * 1024);
    test.flip("green"); // in the middle of a frame that does not end: cut when its time is up
    await eventually(() => test.count(0).tunnels === 0);
  });

  it("are closed by hundreds within one flip, while others serve", { timeout: 60_000 }, async () => {
    const [blue, green] = [keep(await socketUpstream()), keep(await socketUpstream())];
    const test = await router(blue.url, green.url, draining(0));
    const all = await Promise.all(Array.from({ length: 1000 }, () => open(test.url)));
    expect(test.count(0).tunnels).toBe(1000);
    test.flip("green");
    expect((await fetch(test.url)).headers.get("x-sluice-color")).toBe("green");
    await eventually(() => all.every(({ over }) => over.length === 1));
    expect(all.filter(({ over }) => over[0]!.code === 1001 && over[0]!.clean)).toHaveLength(1000);
    await eventually(() => blue.codes.length === 1000 && test.count(0).tunnels === 0);
    expect(new Set(blue.codes)).toEqual(new Set([1001]));
  });
});
