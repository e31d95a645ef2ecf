import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { DataPlane } from "../../data-plane.ts";
import { hasBody } from "../request-body.ts";

/** Node's HTTP server with what the configuration says. @param idle whether nothing is being answered on a connection */
export function nodeServer(plane: DataPlane, idle: (socket: Socket) => boolean): Server {
  const { timeouts, limits } = plane.config;
  const server = createServer({
    maxHeaderSize: limits.header,
    headersTimeout: timeouts.client_header,
    requestTimeout: 0, // a body has a timeout of its own, between two reads, so that slow uploads may be long
    keepAliveTimeout: timeouts.keepalive,
    connectionsCheckingInterval: Math.min(1000, timeouts.client_header),
    insecureHTTPParser: false,
    requireHostHeader: false, // admit() says it with a problem document
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => isUpgrade(request) && idle(request.socket),
  });
  server.maxHeadersCount = 0; // Node would drop the rest in silence; admit() counts and refuses
  server.maxConnections = limits.connections;
  return server;
}

/** Anything else with `Upgrade` is a plain request (RFC 9110 section 7.8); a body could be read as frames. */
function isUpgrade(request: IncomingMessage): boolean {
  const { method, httpVersion, headers } = request;
  if (method !== "GET" || httpVersion !== "1.1" || hasBody(request)) return false;
  return headers.upgrade?.toLowerCase() === "websocket";
}
