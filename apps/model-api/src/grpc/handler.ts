import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type Interceptor,
} from "@connectrpc/connect";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { GRPCInferenceService, Health } from "@sluice/protos";
import type { Logger } from "pino";
import { identityHeaders } from "../app.ts";
import { dropRest } from "../http2.ts";
import type { Metrics } from "../metrics.ts";
import type { Service } from "../service.ts";
import { healthService } from "./health.ts";
import { inferenceService } from "./inference.ts";
import { addReflection } from "./reflection.ts";
import { limitTime } from "./time-limit.ts";

export interface GrpcOptions {
  readonly service: Service;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Bytes of the largest message. */
  readonly messageLimit: number;
  /** Ends the calls that would go on for ever, such as watching the health. */
  readonly ending: AbortSignal;
}

type Handler = ConnectRouter["handlers"][number];
type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** A listener for gRPC calls over HTTP/2: inference, health and reflection. */
export function createGrpcHandler(options: GrpcOptions): Listener {
  const router = createRouter(options);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(request.url);
    const observed = observeCall(options.metrics, handler, response);
    if (!handler) return refuseMethod(response, identityHeaders(options.service), observed);
    answer(handler, request, response, observed, options.ending).catch((error) => {
      // A client that is gone is none of our faults.
      if (response.stream?.destroyed !== false) return;
      options.log.error({ err: error, path: request.url }, "gRPC call failed");
      response.stream.close();
    });
  };
}

function createRouter({ service, metrics, log, messageLimit, ending }: GrpcOptions): ConnectRouter {
  const identity = Object.entries(identityHeaders(service));
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    readMaxBytes: messageLimit,
    acceptCompression: [compressionGzip],
    shutdownSignal: ending,
    interceptors: [logDefects(log)],
    requestGate({ responseHeader }) {
      for (const [name, value] of identity) responseHeader.set(name, value);
    },
  });
  router.service(GRPCInferenceService, inferenceService(service, metrics));
  router.service(Health, healthService(service));
  addReflection(router);
  return router;
}

/** The client of a defect is told INTERNAL and no more. */
function logDefects(log: Logger): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const expected = error instanceof ConnectError || request.signal.aborted;
      if (!expected) log.error({ err: error, method: request.url }, "gRPC call failed");
      throw error;
    }
  };
}

async function answer(
  handler: Handler,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  observed: Observed,
  ending: AbortSignal,
): Promise<void> {
  // The library makes a URL of it, and it only has to be one: nothing here depends on the client's authority.
  request.headers[":authority"] = "localhost";
  const universal = universalRequestFromNodeRequest(request, response, undefined, undefined);
  const body = limitTime(request, handler.method, universal.body as AsyncIterable<Uint8Array>, ending);
  const result = await handler({ ...universal, body });
  // Without trailers it is a status of HTTP, such as 415.
  observed.status = () => result.trailer?.get("grpc-status") ?? String(Code.Unknown);
  // Read when the body has ended, and the status is known.
  const readable = Object.defineProperty({ ...result }, "trailer", {
    get: () => withPlainMessage(result.trailer),
  });
  const { stream } = request;
  stream.once(result.trailer ? "wantTrailers" : "finish", () => dropRest(stream));
  await universalResponseToNodeResponse(readable, response);
}

/**
 * gRPC wants only what is not printable ASCII encoded; the library encodes more, and some clients, @grpc/grpc-js among
 * them, do not decode all of that.
 */
function withPlainMessage(trailer: Headers | undefined): Headers | undefined {
  const message = trailer?.get("grpc-message");
  if (message)
    trailer?.set("grpc-message", decodeURIComponent(message).replace(/[^\x20-\x7e]|%/gu, encodeURIComponent));
  return trailer;
}

/** What is told of a call when its stream closes. */
interface Observed {
  /** The number of the gRPC status; undefined while there is none. */
  status: () => string | undefined;
}

function observeCall(
  metrics: Metrics,
  handler: Handler | undefined,
  response: Http2ServerResponse,
): Observed {
  const observed: Observed = { status: () => undefined };
  const begin = performance.now();
  const method = handler?.requestPath ?? "unmatched";
  const { stream } = response;
  metrics.inFlight.inc();
  response.once("close", () => {
    metrics.inFlight.dec();
    const gone = stream.aborted || stream.rstCode === constants.NGHTTP2_CANCEL;
    const code = nameCode(Number((gone ? undefined : observed.status()) ?? Code.Canceled));
    metrics.grpcRequests.inc({ method, code });
    if (code === "ResourceExhausted") metrics.rejected.inc({ reason: "body_too_large" });
    if (handler?.method.methodKind === "unary")
      metrics.duration.observe({ route: method }, (performance.now() - begin) / 1000);
  });
  return observed;
}

function nameCode(code: number): string {
  return code === 0 ? "OK" : (Code[code] ?? "Unknown");
}

/** gRPC's Trailers-Only answer. */
function refuseMethod(
  response: Http2ServerResponse,
  headers: Record<string, string>,
  observed: Observed,
): void {
  const status = String(Code.Unimplemented);
  observed.status = () => status;
  const trailersOnly = {
    ":status": 200,
    ...headers,
    "content-type": "application/grpc",
    "grpc-status": status,
    "grpc-message": "This method is not served.",
  };
  response.stream.respond(trailersOnly, { endStream: true });
  dropRest(response.stream);
}
