import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRIP } from "./support/api.ts";
import { call, InferenceClient, type Running, startGrpc, typed } from "./support/grpc.ts";

let running: Running;
let session: ClientHttp2Session;

beforeAll(async () => {
  running = await startGrpc();
  session = connect(running.url);
  await once(session, "connect");
});

afterAll(() => {
  session.destroy();
  running.stop();
});

const INFER = "/inference.GRPCInferenceService/ModelInfer";

function open(headers: Record<string, string> = {}): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": INFER,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
}

/** The status in the trailers, or in the head when there are no trailers. */
async function statusOf(
  stream: ClientHttp2Stream,
): Promise<{ http: unknown; grpc: number; message: string }> {
  const [head] = await once(stream.resume(), "response");
  const [trailers] =
    head["grpc-status"] === undefined && head[":status"] === 200 ? await once(stream, "trailers") : [head];
  return {
    http: head[":status"],
    grpc: Number(trailers["grpc-status"]),
    message: String(trailers["grpc-message"]),
  };
}

/** The head of a message: not compressed, and how long it says it is. */
const prefix = (length: number, flag = 0) => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(flag);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};

async function answered(bytes: Buffer, headers = {}) {
  const stream = open(headers);
  stream.end(bytes);
  return statusOf(stream);
}

async function stillPredicts(): Promise<void> {
  const request = { modelName: "taxi-fare", inputs: typed([TRIP]) };
  expect((await call(running.client(InferenceClient), "ModelInfer", request)).error).toBeNull();
}

describe("a malformed call", () => {
  it.each([
    ["a frame cut off", Buffer.concat([prefix(50), Buffer.from([1, 2])]), {}, status.INVALID_ARGUMENT],
    ["a prefix cut off", Buffer.from([0, 0]), {}, status.INVALID_ARGUMENT],
    ["bytes that are no message", Buffer.concat([prefix(3), Buffer.alloc(3, 255)]), {}, status.INTERNAL],
    ["a field cut off", Buffer.concat([prefix(3), Buffer.from([0x0a, 50, 65])]), {}, status.INTERNAL],
    ["no message", Buffer.alloc(0), {}, status.UNIMPLEMENTED],
    ["two messages", Buffer.concat([prefix(0), prefix(0)]), {}, status.UNIMPLEMENTED],
    ["compressed, and not said how", prefix(0, 1), {}, status.INTERNAL],
    ["a compression that nobody knows", prefix(1, 1), { "grpc-encoding": "snappy" }, status.UNIMPLEMENTED],
    [
      "gzip that is none",
      Buffer.concat([prefix(1, 1), Buffer.from("x")]),
      { "grpc-encoding": "gzip" },
      status.INTERNAL,
    ],
    ["a deadline that is none", prefix(0), { "grpc-timeout": "soon" }, status.INVALID_ARGUMENT],
    ["a path with a query", prefix(0), { ":path": `${INFER}?a=1` }, status.UNIMPLEMENTED],
  ])("with %s gets its status", async (_, bytes, headers, code) => {
    expect(await answered(bytes, headers)).toMatchObject({ http: 200, grpc: code });
    await stillPredicts();
  });

  it("of grpc-web or by GET gets HTTP's own status", async () => {
    expect((await answered(prefix(0), { "content-type": "application/grpc-web" })).http).toBe(415);
    const get = open({ ":method": "GET" });
    expect((await statusOf(get)).http).toBe(405);
  });

  it("that announces too large a message is refused before it came, and its stream closed", async () => {
    const stream = open();
    stream.write(prefix(2 ** 31 - 1));
    const closed = once(stream, "close");
    expect((await statusOf(stream)).grpc).toBe(status.RESOURCE_EXHAUSTED);
    await closed;
  });

  it("whose message does not come is ended at its deadline, and its stream closed", async () => {
    const stream = open({ "grpc-timeout": "30m" });
    stream.write(Buffer.concat([prefix(50), Buffer.from([1])]));
    const closed = once(stream, "close");
    expect(await statusOf(stream)).toMatchObject({ http: 200, grpc: status.DEADLINE_EXCEEDED });
    await closed;
  });
});

describe("a client that goes away", () => {
  const canceled = async () => {
    const text = await (await fetch(`${running.url}/metrics`)).text();
    const line = new RegExp(`grpc_requests_total\\{method="${INFER}",code="Canceled"\\} (\\d+)`);
    return [Number(line.exec(text)?.[1] ?? 0), Number(/requests_in_flight (\d+)/.exec(text)?.[1])];
  };

  it("in the middle of a message leaves nothing behind", async () => {
    const [before] = await canceled();
    const stream = open();
    stream.on("error", () => undefined);
    stream.write(Buffer.concat([prefix(50), Buffer.from([1])]));
    // In flight: this look at the metrics, and the call.
    while ((await canceled())[1] !== 2) await new Promise(setImmediate);
    stream.close(8);
    while ((await canceled())[0] !== before! + 1) await new Promise(setImmediate);
    expect((await canceled())[1]).toBe(1);
  });

  it("with its connection, in the middle of a message, leaves nothing behind", async () => {
    const other = connect(running.url);
    other.on("error", () => undefined);
    const [before] = await canceled();
    const stream = other.request({ ":method": "POST", ":path": INFER, "content-type": "application/grpc" });
    stream.on("error", () => undefined);
    stream.write(Buffer.concat([prefix(50), Buffer.from([1])]));
    while ((await canceled())[1] !== 2) await new Promise(setImmediate);
    other.destroy();
    while ((await canceled())[0] !== before! + 1) await new Promise(setImmediate);
    expect((await canceled())[1]).toBe(1);
    await stillPredicts();
  });
});
