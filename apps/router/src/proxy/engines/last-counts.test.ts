import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { http2Client } from "../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../test/support/open.ts";
import { testPlane } from "../../../test/support/plane.ts";
import { RawClient } from "../../../test/support/raw-client.ts";
import { upstream } from "../../../test/support/upstream.ts";
import { GET, UPGRADE } from "../../../test/support/wire.ts";
import type { CreateEngine } from "../engine.ts";

const keep = closing();

/** A router whose target answers when it is told to. */
async function serving(create: CreateEngine) {
  const held: ServerResponse[] = [];
  const target = keep(await upstream((_request, response) => void held.push(response)));
  target.server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("error", () => {}).pipe(socket);
  });
  const { plane } = testPlane({ blue: { weight: 1, targets: [target.url] } });
  const engine = create(plane);
  const { port } = await engine.listen({ host: "127.0.0.1", port: 0 });
  /** What the last report would say, in the turn in which the drain is over. */
  const last = () => {
    const { blue } = plane.report().colors;
    return {
      assigned: blue!.assigned,
      answered: blue!.requests,
      left: blue!.inFlight + (blue!.tunnels ?? 0),
    };
  };
  return { held, engine, port, last };
}

describe.each(ENGINES)("an engine that has drained ($name)", ({ create }) => {
  it("has counted the request whose client went away last", async () => {
    const { held, engine, port, last } = await serving(create);
    const client = keep(await RawClient.connect(port));
    client.send(GET);
    await eventually(() => held.length === 1);
    const drained = engine.drain(60_000).then(last);
    client.socket.resetAndDestroy();
    expect(await drained).toEqual({ assigned: 1, answered: { "GET 499": 1 }, left: 0 });
  });

  it("has counted the requests that it cut", async () => {
    const { held, engine, port, last } = await serving(create);
    const clients = await Promise.all([1, 2, 3].map(async () => keep(await RawClient.connect(port))));
    for (const client of clients) client.send(GET);
    await eventually(() => held.length === 3);
    const drained = engine.drain(0).then((cut) => [cut, last()]);
    expect(await drained).toEqual([3, { assigned: 3, answered: { "GET 499": 3 }, left: 0 }]);
  });

  it("has counted the tunnel that it cut", async () => {
    const { engine, port, last } = await serving(create);
    const client = keep(await RawClient.connect(port));
    client.send(UPGRADE);
    await client.until("101");
    await eventually(() => last().assigned === 1);
    const drained = engine.drain(0).then(last);
    expect(await drained).toEqual({ assigned: 1, answered: { "GET 101": 1 }, left: 0 });
  });

  it("has counted the stream of HTTP/2 whose connection was closed last", async () => {
    const { held, engine, port, last } = await serving(create);
    const client = keep(http2Client(`http://127.0.0.1:${port}`));
    void client.send({ ":method": "GET" });
    await eventually(() => held.length === 1);
    const drained = engine.drain(60_000).then(last);
    client.close();
    expect(await drained).toEqual({ assigned: 1, answered: { "GET 499": 1 }, left: 0 });
  });

  it("has counted the streams of HTTP/2 that it cut", async () => {
    const { held, engine, port, last } = await serving(create);
    const client = keep(http2Client(`http://127.0.0.1:${port}`));
    for (let i = 0; i < 3; i++) void client.send({ ":method": "GET" });
    await eventually(() => held.length === 3);
    const drained = engine.drain(0).then(last);
    expect(await drained).toEqual({ assigned: 3, answered: { "GET 499": 3 }, left: 0 });
  });

  it("has counted the answer that ended last", async () => {
    const { held, engine, port, last } = await serving(create);
    const client = keep(await RawClient.connect(port));
    client.send(GET);
    await eventually(() => held.length === 1);
    const drained = engine.drain(60_000).then(last);
    held[0]!.end("late");
    await client.untilClosed();
    client.close();
    expect(await drained).toEqual({ assigned: 1, answered: { "GET 200": 1 }, left: 0 });
  });
});
