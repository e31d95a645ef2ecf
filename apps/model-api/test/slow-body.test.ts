import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TRIP } from "./support/api.ts";
import { type Running, startGrpc } from "./support/grpc.ts";

// The server gives a request a minute; sockets are real, and only this clock is not.
const LIMIT = 60_000;
const BODY = JSON.stringify({ data: [TRIP] });
let running: Running;
let session: ClientHttp2Session;

beforeEach(async () => {
  running = await startGrpc();
  session = connect(running.url);
  await once(session, "connect");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
  session.destroy();
  running.stop();
});

/** A prediction of whose body a part was sent and has arrived. */
async function begin(path = "/api/predict/"): Promise<ClientHttp2Stream> {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/json" };
  const stream = session.request(headers);
  stream.on("error", () => undefined);
  stream.write(BODY.slice(0, 20));
  await new Promise((resolve) => session.ping(Buffer.alloc(8), resolve)); // comes behind the part
  return stream;
}

async function answerOf(stream: ClientHttp2Stream) {
  const [head] = await once(stream, "response");
  return { status: head[":status"], head, body: await text(stream) };
}

describe("REST over HTTP/2", () => {
  it.each(["/api/predict/", "/v2/models/taxi-fare/infer"])(
    "answers 408 on %s to a body that does not come in a minute, and closes the stream",
    async (path) => {
      const stream = await begin(path);
      const closed = once(stream, "close");
      const answer = answerOf(stream);
      vi.advanceTimersByTime(LIMIT);
      const { status, head, body } = await answer;
      expect(status).toBe(408);
      expect(head).toMatchObject({ "x-model-version": "1.2.3", "content-type": "application/problem+json" });
      expect(JSON.parse(body)).toMatchObject({ status: 408, detail: expect.stringMatching(/in time/) });
      await closed;
      expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
      while (running.server.inFlight > 0) await new Promise(setImmediate);
    },
  );

  it("answers one that takes nearly as long", async () => {
    const stream = await begin();
    vi.advanceTimersByTime(LIMIT - 1);
    stream.end(BODY.slice(20));
    expect((await answerOf(stream)).status).toBe(200);
  });

  it("closes the stream of a body that nobody wants", async () => {
    const stream = await begin("/nothing");
    const closed = once(stream, "close");
    expect((await answerOf(stream)).status).toBe(404);
    await closed;
  });
});
