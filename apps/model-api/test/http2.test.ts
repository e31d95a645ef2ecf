import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, HealthClient, type Running, startGrpc } from "./support/grpc.ts";

let running: Running;

beforeAll(async () => {
  running = await startGrpc();
});

afterAll(() => running.stop());

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const GET = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

async function dial(): Promise<Socket> {
  const socket = connect(running.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** A frame as RFC 9113 section 4.1 has it. */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = frame(4, 0, 0);
const [HEADERS, RST_STREAM, CONTINUATION, END_HEADERS] = [1, 3, 9, 4];

async function request(session: ClientHttp2Session, headers: Record<string, string>, body = "") {
  const stream = session.request(headers);
  if (body) stream.end(body);
  const [head] = await once(stream, "response");
  return { status: head[":status"], head, body: await text(stream) };
}

async function stillServes(): Promise<void> {
  expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  expect((await call(running.client(HealthClient), "Check")).error).toBeNull();
}

describe("one port", () => {
  it("tells HTTP/1.1 by its first bytes, in however small pieces they come", async () => {
    const socket = await dial();
    socket.setNoDelay();
    const answer = text(socket);
    for (const letter of GET) {
      socket.write(letter);
      await new Promise(setImmediate);
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("takes a method that begins as HTTP/2 does for HTTP/1.1", async () => {
    const socket = await dial();
    socket.write(GET.replace("GET", "PRINT"));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("tells HTTP/2 by its first bytes, also when they come one by one", async () => {
    const socket = await dial();
    socket.setNoDelay();
    for (const byte of Buffer.concat([PREFACE, SETTINGS])) {
      socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const [bytes] = await once(socket, "data");
    expect(bytes.readUInt8(3)).toBe(4);
    socket.destroy();
  });

  it("serves REST over HTTP/2, with the model's headers", async () => {
    const session = connectHttp2(running.url);
    const health = await request(session, { ":path": "/v2/health/ready" });
    expect([health.status, health.body]).toEqual([200, '{"ready":true}']);
    expect(health.head["x-model-version"]).toBe("1.2.3");
    const headers = { ":method": "POST", ":path": "/api/predict/", "content-type": "application/json" };
    const { status, body } = await request(session, headers, JSON.stringify({ data: [TRIP] }));
    expect([status, JSON.parse(body).predictions]).toEqual([200, [running.model.predict(TRIP)]]);
    expect((await request(session, { ":path": "/nothing" })).status).toBe(404);
    session.close();
  });

  it("cuts clients that go before they said what they speak", async () => {
    for (const bytes of ["", "PRI * HT"]) {
      const socket = await dial();
      socket.end(bytes);
      await once(socket.resume(), "close");
    }
    await stillServes();
  });
});

describe("a client that breaks HTTP/2", () => {
  const settled = Buffer.concat([PREFACE, SETTINGS]);
  const cut = async (bytes: Buffer) => {
    const socket = await dial();
    const closed = once(socket.resume(), "close");
    socket.write(bytes);
    await closed;
  };
  /** :method GET, :scheme http, :path /, from HPACK's static table. */
  const block = Buffer.from([0x82, 0x86, 0x84]);

  it.each([
    ["no SETTINGS after the preface", Buffer.concat([PREFACE, frame(6, 0, 0, Buffer.alloc(8))])],
    ["a frame over the size agreed on", Buffer.concat([settled, frame(0, 0, 1, Buffer.alloc(20_000))])],
    ["bytes that are no frames", Buffer.concat([PREFACE, Buffer.alloc(64, 255)])],
    [
      "HEADERS that are no HPACK",
      Buffer.concat([settled, frame(HEADERS, END_HEADERS, 1, Buffer.alloc(30, 255))]),
    ],
    ["DATA on a stream that is not open", Buffer.concat([settled, frame(0, 0, 1, Buffer.alloc(10))])],
  ])("with %s is cut off, and others are served", async (_, bytes) => {
    await cut(bytes);
    await stillServes();
  });

  it("by endless CONTINUATION frames is cut off", async () => {
    const more = Array.from({ length: 2000 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16, 0x82)));
    await cut(Buffer.concat([settled, frame(HEADERS, 1, 1, block), ...more]));
    await stillServes();
  });

  it("by rapid reset is cut off", async () => {
    const resets = Array.from({ length: 1000 }, (_, i) => {
      const code = Buffer.from([0, 0, 0, 8]);
      return Buffer.concat([
        frame(HEADERS, END_HEADERS | 1, 2 * i + 1, block),
        frame(RST_STREAM, 0, 2 * i + 1, code),
      ]);
    });
    await cut(Buffer.concat([settled, ...resets]));
    await stillServes();
  });

  it("by pings without reading the answers is cut off or answered, and others are served", async () => {
    const socket = await dial();
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 20_000 }, () => frame(6, 0, 0, Buffer.alloc(8))));
    socket.write(Buffer.concat([settled, pings]));
    await stillServes();
    socket.destroy();
  });

  it("by more than 128 streams at once is cut off", async () => {
    const session = connectHttp2(running.url);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(128);
    session.destroy();
    // One who does not heed it, because it does not know yet; and one who knows.
    const post = Buffer.from([0x83, 0x86, 0x84]);
    const open = Array.from({ length: 140 }, (_, i) => frame(HEADERS, END_HEADERS, 2 * i + 1, post));
    await cut(Buffer.concat([settled, ...open]));
    await cut(Buffer.concat([settled, frame(4, 1, 0), ...open]));
    await stillServes();
  });

  it("by too many headers is refused", async () => {
    const session = connectHttp2(running.url);
    session.on("error", () => undefined);
    const fields = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x-${i}`, "1"]));
    const stream = session.request({ ":path": "/health/live", ...fields });
    const [error] = await once(stream, "error").catch((thrown) => [thrown]);
    expect(String(error)).toMatch(/ENHANCE_YOUR_CALM|REFUSED|CANCEL|PROTOCOL/);
    session.destroy();
    await stillServes();
  });
});
