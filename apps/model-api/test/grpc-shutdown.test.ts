import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, HealthClient, InferenceClient, type Running, startGrpc, typed } from "./support/grpc.ts";

const started: Running[] = [];

async function start(): Promise<Running> {
  const running = await startGrpc();
  started.push(running);
  return running;
}

afterEach(() => {
  for (const running of started.splice(0)) running.stop();
});

const PATH = "/inference.GRPCInferenceService/ServerLive";
const CALL = { ":method": "POST", ":path": PATH, "content-type": "application/grpc", te: "trailers" };
const EMPTY = Buffer.alloc(5);
const DRAIN = { delay: 10_000, quiet: 30, timeout: 20_000 };

describe("the end of a server", () => {
  it("announces itself by GOAWAY without refusing anything, then answers what is in flight", async () => {
    const { server, url } = await start();
    const session = connectHttp2(url);
    const half = session.request(CALL);
    half.write(EMPTY.subarray(0, 3));
    while (server.inFlight === 0) await new Promise(setImmediate);
    const goaway = once(session, "goaway");
    const ending = server.end(DRAIN);
    const [code, lastStream] = await goaway;
    expect([code, lastStream]).toEqual([0, 2 ** 31 - 1]);
    while (server.server.listening) await new Promise(setImmediate);
    half.end(EMPTY.subarray(3));
    const [trailers] = await once(half.resume(), "trailers");
    expect(trailers["grpc-status"]).toBe("0");
    expect(await ending).toBe("drained");
  });

  it("still serves new connections until it is quiet, and then asks them to leave", async () => {
    const { server, url } = await start();
    const ending = server.end({ ...DRAIN, quiet: 2000 });
    const session = connectHttp2(url);
    const stream = session.request(CALL);
    stream.end(EMPTY);
    const [[trailers]] = await Promise.all([once(stream.resume(), "trailers"), once(session, "goaway")]);
    expect(trailers["grpc-status"]).toBe("0");
    expect(await ending).toBe("drained");
  });

  it("loses no call of steady clients until a balancer knows", async () => {
    const running = await start();
    const client = running.client(InferenceClient);
    const health = running.client(HealthClient);
    let [sending, answered] = [true, 0];
    const steady = async () => {
      while (sending) {
        const { error } = await call(client, "ModelInfer", { modelName: "taxi-fare", inputs: typed([TRIP]) });
        expect(error).toBeNull();
        answered++;
      }
    };
    const balancer = async () => {
      while (answered < 100) await new Promise(setImmediate);
      const ending = running.server.end({ ...DRAIN, quiet: 2000 });
      while ((await call(health, "Check")).value.status !== "NOT_SERVING");
      const seen = answered;
      while (answered < seen + 100) await new Promise(setImmediate);
      sending = false;
      return ending;
    };
    const [ending] = await Promise.all([balancer(), ...Array.from({ length: 4 }, steady)]);
    expect(ending).toBe("drained");
  });

  it("is not held up by idle connections, watchers, health checks or open reflection", async () => {
    const running = await start();
    const session = connectHttp2(running.url);
    await once(session, "remoteSettings");
    const watching = session.request({ ...CALL, ":path": "/grpc.health.v1.Health/Watch" });
    watching.end(EMPTY);
    const reflecting = session.request({
      ...CALL,
      ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    });
    reflecting.on("error", () => undefined).resume();
    await once(watching.resume(), "response");
    const closed = once(session, "close");
    expect(await running.server.end(DRAIN)).toBe("drained");
    await closed;
  });

  it("cuts calls and undecided connections at the deadline, and says so", async () => {
    const { server, url, port } = await start();
    const session = connectHttp2(url);
    session.on("error", () => undefined);
    const half = session.request(CALL);
    half.on("error", () => undefined);
    half.write(EMPTY.subarray(0, 3));
    const undecided = connect(port, "127.0.0.1");
    undecided.write("PRI *");
    while (server.inFlight === 0) await new Promise(setImmediate);
    const closed = [once(session, "close"), once(undecided.resume(), "close")];
    expect(await server.end({ ...DRAIN, timeout: 100 })).toBe("cut");
    await Promise.all(closed);
  });

  it("makes clients that come later UNAVAILABLE", async () => {
    const running = await start();
    const client = running.client(InferenceClient);
    await running.server.end(DRAIN);
    expect((await call(client, "ServerLive")).error?.code).toBe(status.UNAVAILABLE);
  });
});
