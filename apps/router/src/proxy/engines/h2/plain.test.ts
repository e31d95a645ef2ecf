import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { answerOf, http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { type PlaneOptions, testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { type Answer, rawUpstream, refusedPort, upstream } from "../../../../test/support/upstream.ts";

const open = closing();

describe.each(ENGINES)("HTTP/2 clients of HTTP/1.1 targets ($name)", ({ create }) => {
  async function scene(answer?: Answer, options: PlaneOptions = {}) {
    const target = open(await upstream(answer));
    const router = open(await testRouter({ blue: { weight: 1, targets: [target.url] } }, options, create));
    const client = open(http2Client(router.url));
    return { target, router, client };
  }

  it("are answered like those of HTTP/1.1", async () => {
    const { target, client, router } = await scene((_request, response) => {
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.end("hello");
    });
    const answer = await client.send({ ":path": "/a?b=c", cookie: ["x=1", "y=2"], "x-some": "thing" });
    expect([answer.status, answer.body, answer.code]).toEqual([200, "hello", 0]);
    expect(answer.headers).toMatchObject({ "x-sluice-color": "blue", via: "1.1 sluice" });
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers.connection).toBeUndefined();
    const [seen] = target.seen;
    expect(seen).toMatchObject({ method: "GET", url: "/a?b=c" });
    expect(seen!.headers).toMatchObject({
      host: `127.0.0.1:${router.port}`,
      cookie: "x=1; y=2",
      via: "2.0 sluice",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-request-id": answer.headers["x-request-id"],
    });
    expect(router.lines[0]).toMatchObject({ status: 200, color: "blue", outcome: "answered", bytes: 5 });
  });

  it("send bodies with a length, without one, and with trailers", async () => {
    const trailers: unknown[] = [];
    const { target, client } = await scene((request, response) => {
      trailers.push(request.trailers);
      response.writeHead(200, { Trailer: "x-sum" });
      response.write("part");
      response.addTrailers({ "x-sum": "42" });
      response.end();
    });
    const post = { ":method": "POST" };
    const known = await client.send({ ...post, "content-length": 5 }, "12345");
    const streamed = await client.send({ ...post, te: "trailers" }, "123456", {
      "x-check": "1",
      host: "evil",
    });
    const none = await client.send(post);
    expect([known.body, streamed.body, none.body]).toEqual(["part", "part", "part"]);
    expect(streamed.trailers).toMatchObject({ "x-sum": "42" });
    expect(target.seen.map(({ body }) => body.toString())).toEqual(["12345", "123456", ""]);
    expect(
      target.seen.map(({ headers }) => [headers["content-length"], headers["transfer-encoding"]]),
    ).toEqual([
      ["5", undefined],
      [undefined, "chunked"],
      ["0", undefined],
    ]);
    expect(trailers).toEqual([{}, { "x-check": "1" }, {}]);
    expect(target.seen[1]!.headers.te).toBe("trailers");
  });

  it("get interim answers, and 100 only where they expect it", async () => {
    const { client } = await scene((_request, response) => {
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      response.end("ok");
    });
    expect((await client.send({})).interim).toEqual([103]);
    const stream = client.open({ ":method": "POST", expect: "100-continue" });
    const answer = answerOf(stream);
    await once(stream, "continue");
    stream.on("wantTrailers", () => stream.sendTrailers({}));
    stream.end("body");
    expect((await answer).body).toBe("ok");
  });

  it("get answers to HEAD, 204 and 304 without a body", async () => {
    const { client } = await scene((request, response) => {
      response.writeHead(Number(request.url!.slice(1)), { "Content-Length": 10 });
      response.end(request.method === "HEAD" ? undefined : "0123456789");
    });
    const head = await client.send({ ":method": "HEAD", ":path": "/200" });
    expect([head.status, head.headers["content-length"], head.body]).toEqual([200, "10", ""]);
    for (const status of [204, 304]) {
      const answer = await client.send({ ":path": `/${status}` });
      expect([answer.status, answer.body, answer.code]).toEqual([status, "", 0]);
    }
  });

  it("have many requests at once on one connection, in any order", async () => {
    const waiting = new Map<string, () => void>();
    const { client } = await scene((request, response) => {
      waiting.set(request.url!, () => response.end(request.url!));
    });
    const answers = Array.from({ length: 50 }, (_, i) => client.send({ ":path": `/${i}` }));
    await eventually(() => waiting.size === 50);
    for (const answer of [...waiting.values()].reverse()) answer();
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(answers.map((_, i) => `/${i}`));
  });

  it("are told of a target that cannot be reached, with a problem document", async () => {
    const port = await refusedPort();
    const router = open(
      await testRouter({ blue: { weight: 1, targets: [`http://127.0.0.1:${port}`] } }, {}, create),
    );
    const client = open(http2Client(router.url));
    const answer = await client.send({});
    expect([answer.status, answer.headers["content-type"]]).toEqual([502, "application/problem+json"]);
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 502,
      request_id: answer.headers["x-request-id"],
    });
    router.serve({ blue: { weight: 1, targets: [] } });
    const none = await client.send({ ":method": "HEAD" });
    expect([none.status, none.headers["retry-after"], none.body]).toEqual([503, "1", ""]);
  });

  it("have a request repeated at another target, with its body", async () => {
    const port = await refusedPort();
    const target = open(await upstream());
    const router = open(
      await testRouter(
        { blue: { weight: 1, targets: [`http://127.0.0.1:${port}`, target.url] } },
        {},
        create,
      ),
    );
    const client = open(http2Client(router.url));
    for (let i = 0; i < 6; i++) {
      expect((await client.send({ ":method": "POST" }, `body ${i}`)).status).toBe(200);
    }
    expect(target.seen.map(({ body }) => body.toString())).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => `body ${i}`),
    );
  });

  it("are cut off from an answer that broke off, and never take it for whole", async () => {
    const target = open(
      await rawUpstream((socket) => {
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
      }),
    );
    const router = open(await testRouter({ blue: { weight: 1, targets: [target.url] } }, {}, create));
    const client = open(http2Client(router.url));
    const answer = await client.send({});
    expect([answer.status, answer.body, answer.code]).toEqual([200, "half", 2]);
    expect(router.lines[0]).toMatchObject({ outcome: "truncated" });
  });

  it("that go away end the request at the target, and blame nobody", async () => {
    const aborted: boolean[] = [];
    const { client, router, target } = await scene(() => {});
    target.server.on("request", (request) => request.on("close", () => aborted.push(request.destroyed)));
    const stream = client.open({ ":method": "POST" });
    stream.write("part");
    await eventually(() => router.plane.colors[0]!.targets[0]!.inFlight === 1);
    await new Promise((resolve) => target.server.once("request", resolve));
    stream.close(8);
    await eventually(() => aborted.length === 1 && router.lines.length === 1);
    expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort" });
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
  });

  it("are refused what is not relayed, each with the status that says so", async () => {
    const limits = { header: 2000, headers: 20, body: 10, connections: 10 };
    const { client, target } = await scene(undefined, { config: { limits } });
    const statusOf = async (headers: object, body?: string) =>
      (await client.send({ ...headers }, body)).status;
    expect(await statusOf({ ":method": "TRACE" })).toBe(405);
    expect(await statusOf({ "x-large": "x".repeat(2100) })).toBe(431);
    expect(await statusOf(Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`x-${i}`, "1"])))).toBe(
      431,
    );
    expect(await statusOf({ ":method": "POST", "content-length": 11 }, "12345678901")).toBe(413);
    expect(await statusOf({ ":method": "POST" }, "12345678901")).toBe(413);
    expect(await statusOf({ expect: "miracles" })).toBe(417);
    expect(await statusOf({ ":authority": "one", host: "other" })).toBe(400);
    expect(target.seen).toEqual([]);
    expect(await statusOf({})).toBe(200);
  });

  it("are served by new limits from the next stream on, also on the connection that they have", async () => {
    const { client, router } = await scene();
    expect((await client.send({ ":method": "POST" }, "12345")).status).toBe(200);
    const { config } = router.plane;
    router.plane.configure({ ...config, limits: { ...config.limits, body: 3 } });
    expect((await client.send({ ":method": "POST" }, "12345")).status).toBe(413);
  });

  it("are found by their first bytes, in however small pieces they come", async () => {
    const router = open(await testRouter({ blue: { weight: 1, targets: [] } }, {}, create));
    const socket = connect(router.port, "127.0.0.1");
    socket.setNoDelay(true);
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    for (const byte of Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings])) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const [bytes] = await once(socket, "data");
    expect(bytes.readUInt8(3)).toBe(4);
    expect(router.plane.connections).toBe(1);
    socket.destroy();
    await eventually(() => router.plane.connections === 0);
  });

  it("do not disturb those whose method begins alike, or who say too little", async () => {
    const { router } = await scene();
    const print = open(await RawClient.connect(router.port));
    print.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    await print.until(/^HTTP\/1\.1 200/);
    const late = open(await RawClient.connect(router.port));
    late.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    await late.untilClosed();
    const behind = open(await RawClient.connect(router.port));
    behind.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await behind.until("ok");
    behind.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await behind.until(/HTTP\/1\.1 (505|400)/);
  });
});
