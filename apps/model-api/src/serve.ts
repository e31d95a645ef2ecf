import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import { createApp, identityHeaders } from "./app.ts";
import { createGrpcHandler } from "./grpc/handler.ts";
import { addHttp2, type Http2Listener } from "./http2.ts";
import { createMetrics } from "./metrics.ts";
import type { DrainOptions } from "./options.ts";
import { createHttpServer, createListener, TIMEOUTS } from "./server.ts";
import type { Service } from "./service.ts";
import { type Ending, shutDown } from "./shutdown.ts";
import { limitBodyTime } from "./slow-body.ts";
import { Traffic } from "./traffic.ts";

export interface ModelServer {
  /** Not yet listening. */
  readonly server: Server;
  /** Requests and calls that are being answered. */
  readonly inFlight: number;
  /** Not ready from now on, then see `shutDown`. To be called once. */
  end(drain: DrainOptions): Promise<Ending>;
}

/** REST over HTTP/1.1 and HTTP/2, and gRPC, on one port. */
export function createModelServer(options: {
  readonly service: Service;
  /** Bytes of the largest body or message. */
  readonly bodyLimit: number;
  readonly log: Logger;
}): ModelServer {
  const { service, bodyLimit, log } = options;
  const metrics = createMetrics(service);
  const app = createApp({ service, bodyLimit, log, metrics });
  const headers = identityHeaders(service);
  const server = createHttpServer(app, headers);
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const grpc = createGrpcHandler({ service, metrics, log, messageLimit: bodyLimit, ending: ending.signal });
  const rest = limitBodyTime(createListener(app, headers), headers, TIMEOUTS.requestTimeout);
  const http2 = addHttp2(server, split(grpc, rest));
  const traffic = new Traffic(server, http2);
  return {
    server,
    get inFlight() {
      return traffic.inFlight;
    },
    end(drain) {
      service.drain();
      const side = {
        ...http2,
        close() {
          ending.abort(new ConnectError("The server is shutting down.", Code.Unavailable));
          http2.close();
        },
      };
      return shutDown(server, traffic, drain, side);
    },
  };
}

function split(grpc: Http2Listener, rest: Http2Listener): Http2Listener {
  return (request, response) => {
    const isGrpc = request.headers["content-type"]?.startsWith("application/grpc") ?? false;
    (isGrpc ? grpc : rest)(request, response);
  };
}
