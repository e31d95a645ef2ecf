import { once } from "node:events";
import {
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../../test/conformance/engines.ts";
import { answerOf, http2Client } from "../../../../test/support/http2-client.ts";
import { closing, eventually } from "../../../../test/support/open.ts";
import { type PlaneOptions, TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";

import { endsWhole } from "./ends-whole.ts";
import { resetStream } from "./reset-stream.ts";

const open = closing();
const GRPC = { ":method": "POST", ":path": "/s/M", "content-type": "application/grpc", te: "trailers" };
const OK = { ":status": 200, "content-type": "application/grpc" };

interface H2Target {
  readonly url: string;
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
  close(): void;
}

/** A target that speaks HTTP/2 alone. */
async function h2Target(
  onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
  settings: object = {},
): Promise<H2Target> {
  const server = createServer({ settings });
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
    session.on("stream", (stream) => {
      stream.on("error", () => {});
      onStream(stream, session);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return { url: `h2c://127.0.0.1:${port}`, server, sessions, close };
}

/** Answers a call, once its message is whole. */
function succeed(stream: ServerHttp2Stream): void {
  stream.resume();
  stream.on("end", () => {
    stream.respond(OK, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end("done");
  });
}

describe.each(ENGINES)("HTTP/2 to targets ($name)", ({ create }) => {
  async function scene(
    onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
    { settings = {}, ...options }: PlaneOptions & { settings?: object } = {},
  ) {
    const target = open(await h2Target(onStream, settings));
    const router = open(await testRouter({ blue: { weight: 1, targets: [target.url] } }, options, create));
    return { target, router, client: open(http2Client(router.url)) };
  }

  it("keeps one connection for many requests, plain ones too where a target speaks nothing else", async () => {
    const { client, target } = await scene((stream) =>
      stream.respond({ ":status": 204 }, { endStream: true }),
    );
    for (let i = 0; i < 5; i++) expect((await client.send({ ":path": `/${i}` })).status).toBe(204);
    expect(target.sessions.length).toBe(1);
  });

  it("opens another connection where a target allows no more streams on one", async () => {
    const streams: ServerHttp2Stream[] = [];
    const { client, target } = await scene((stream) => void streams.push(stream), {
      settings: { maxConcurrentStreams: 2 },
    });
    const first = client.send(GRPC, "1");
    await eventually(() => streams.length === 1 && target.sessions.length === 1);
    const others = Array.from({ length: 5 }, () => client.send(GRPC, "1"));
    await eventually(() => streams.length === 6);
    expect(target.sessions.length).toBe(3);
    for (const stream of streams) succeed(stream);
    for (const answer of await Promise.all([first, ...others]))
      expect(answer.trailers["grpc-status"]).toBe("0");
  });

  it("sends anew what a target refused to look at, whatever the method, and blames nobody", async () => {
    let refused = 0;
    const { client, router } = await scene((stream) => {
      if (refused++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else succeed(stream);
    });
    const answer = await client.send(GRPC, "message");
    expect([answer.body, answer.trailers["grpc-status"]]).toEqual(["done", "0"]);
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(0);
    expect(router.lines[0]).toMatchObject({ attempts: 1, outcome: "answered" });
  });

  it("sends anew what came behind a target's GOAWAY, and finishes what came before", async () => {
    const streams: [ServerHttp2Stream, ServerHttp2Session][] = [];
    const { client, target } = await scene((stream, session) => void streams.push([stream, session]));
    const early = client.send(GRPC, "early");
    await eventually(() => streams.length === 1);
    const late = client.send(GRPC, "late");
    await eventually(() => streams.length === 2);
    const [stream, session] = streams[0]!;
    session.goaway(constants.NGHTTP2_NO_ERROR, stream.id);
    await eventually(() => streams.length === 3);
    expect(target.sessions.length).toBe(2);
    for (const i of [0, 2]) succeed(streams[i]![0]);
    expect((await early).trailers["grpc-status"]).toBe("0");
    expect((await late).trailers["grpc-status"]).toBe("0");
  });

  it("passes a target's reset on by its code, in the middle of an answer, and never ends it cleanly", async () => {
    const { client, router } = await scene((stream) => {
      stream.respond(OK);
      stream.write("part");
      stream.once("data", (bytes: Buffer) => stream.close(Number(bytes.toString())));
    });
    for (const [code, passed] of [
      [constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_INTERNAL_ERROR],
      [constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL],
      [constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_INTERNAL_ERROR],
      [constants.NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_ENHANCE_YOUR_CALM],
    ] as const) {
      const stream = client.open(GRPC);
      const answer = answerOf(stream);
      await once(stream, "data");
      stream.write(String(code));
      expect((await answer).code).toBe(passed);
    }
    expect(router.lines.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => "truncated"));
  });

  it("never lets half a message look whole: not to clients, nor to targets", async () => {
    const atTarget: { whole: () => boolean; closed: boolean }[] = [];
    const { client, target } = await scene((stream) => {
      const half = { whole: endsWhole(stream), closed: false };
      atTarget.push(half);
      stream.resume().on("close", () => {
        half.closed = true;
      });
      stream.respond({ ":status": 200 });
      stream.write("half of an answer");
    });
    const openHalf = async () => {
      const stream = client.open({ ":method": "POST" });
      stream.write("half of a request");
      await once(stream, "data");
      return stream;
    };
    const canceled = await openHalf();
    resetStream(canceled, constants.NGHTTP2_CANCEL);
    await eventually(() => atTarget[0]!.closed);
    expect(atTarget[0]!.whole()).toBe(false);
    const cut = await openHalf();
    const whole = endsWhole(cut);
    for (const session of target.sessions) session.socket.destroy();
    await eventually(() => cut.destroyed);
    expect([whole(), cut.rstCode]).toEqual([false, constants.NGHTTP2_INTERNAL_ERROR]);
  });

  it("tells a gRPC client by a status of a reset before any answer", async () => {
    const { client } = await scene((stream) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
    const answer = await client.send(GRPC, "x");
    expect([answer.status, answer.headers["grpc-status"]]).toEqual([200, "8"]);
  });

  it("does not take an answer for whole that a target reset with NO_ERROR", async () => {
    const { client } = await scene((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("half", () => setImmediate(() => resetStream(stream, constants.NGHTTP2_NO_ERROR)));
      stream.resume();
    });
    const answer = await client.send({ ":method": "POST" }, "x");
    expect(answer.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  });

  it("sends what may be repeated again where a kept connection turns out to be gone", async () => {
    let kill = false;
    const { client, router } = await scene((stream, session) => {
      if (kill) {
        kill = false;
        session.socket.destroy();
      } else succeed(stream);
    });
    expect((await client.send(GRPC, "x")).trailers["grpc-status"]).toBe("0");
    kill = true;
    const lost = await client.send(GRPC, "x");
    expect([lost.status, lost.headers["grpc-status"]]).toEqual([200, "14"]);
    kill = true;
    const again = await client.send({ ":method": "PUT" }, "x");
    expect([again.status, again.body]).toEqual([200, "done"]);
    expect(router.plane.colors[0]!.targets[0]!.errors).toBe(1);
  });

  it("repeats UNAVAILABLE also where a target sends its head apart from its trailers", async () => {
    let calls = 0;
    const declared = { retry: { ...TEST_CONFIG.retry, idempotent_paths: ["/s/M"] } };
    const { client, router } = await scene(
      (stream) => {
        if (calls++ > 0) return succeed(stream);
        stream.respond(OK, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14" }));
        stream.resume().on("end", () => stream.end());
      },
      { config: declared },
    );
    const answer = await client.send(GRPC, "message");
    expect([answer.body, answer.trailers["grpc-status"], calls]).toEqual(["done", "0", 2]);
    expect(router.lines[0]).toMatchObject({ attempts: 2, outcome: "answered", grpc_status: 0 });
  });

  it("closes its connections to a target that is removed, once nothing is in flight there", async () => {
    const streams: ServerHttp2Stream[] = [];
    const { client, target, router } = await scene((stream) => void streams.push(stream));
    const answer = client.send(GRPC, "x");
    await eventually(() => streams.length === 1);
    router.serve({ blue: { weight: 1, targets: [] } });
    succeed(streams[0]!);
    expect((await answer).trailers["grpc-status"]).toBe("0");
    await eventually(() => target.sessions[0]!.destroyed);
  });

  it("bounds what it keeps of a large answer for a client that does not read", async () => {
    let written = 0;
    const { client } = await scene((stream) => {
      stream.respond({ ":status": 200 });
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        do written += chunk.length;
        while (!stream.destroyed && stream.write(chunk));
        stream.once("drain", more);
      };
      more();
    });
    const stream = client.open({ ":method": "POST" });
    await once(stream, "response"); // and nothing is read
    await steady(() => written);
    expect(written).toBeLessThan(4 * 1024 * 1024);
    stream.close();
  });

  it("bounds what it keeps of a large body for a target that does not read", async () => {
    const limits = { ...TEST_CONFIG.limits, body: 1024 ** 3 };
    const { client } = await scene((stream) => stream.pause(), { config: { limits } });
    const stream = client.open({ ":method": "POST" });
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      do written += chunk.length;
      while (!stream.destroyed && stream.write(chunk));
      stream.once("drain", more);
    };
    more();
    await steady(() => written);
    expect(written).toBeLessThan(4 * 1024 * 1024);
    stream.close();
  });

  it("carries large bodies both ways, byte for byte", async () => {
    const limits = { ...TEST_CONFIG.limits, body: 1024 ** 3 };
    const { client } = await scene(
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.pipe(stream);
      },
      { config: { limits } },
    );
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251));
    const answer = await client.send({ ":method": "POST" }, body);
    expect([answer.code, Buffer.from(answer.body, "latin1").equals(body)]).toEqual([0, true]);
  });
});

/** Resolves once a count has stood still for many turns of the event loop. */
async function steady(count: () => number): Promise<void> {
  let [seen, turns] = [count(), 0];
  while (turns < 2000) {
    await new Promise((resolve) => setImmediate(resolve));
    turns = count() === seen ? turns + 1 : 0;
    seen = count();
  }
}
