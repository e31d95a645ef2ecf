// A fixed gRPC message for every call, over HTTP/2 with prior knowledge: `node grpc.ts PORT`.
import { createServer } from "node:http2";

/** Not compressed, 2 bytes: `SERVING` of grpc.health.v1. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const HEAD = { ":status": 200, "content-type": "application/grpc" };
const TRAILERS = { "grpc-status": "0" };

const server = createServer({ settings: { maxConcurrentStreams: 1000 } });
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.resume();
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(TRAILERS));
  stream.end(MESSAGE);
});
server.listen(Number(process.argv[2]), "127.0.0.1");
