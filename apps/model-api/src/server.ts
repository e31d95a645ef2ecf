import { createServer, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { problemBody } from "@sluice/api-docs";

/**
 * Longer than the time that any proxy in front keeps an idle connection (75 s in Sluice and nginx), so that the proxy
 * always is the one that closes: a server that closes first races with the next request.
 */
export const TIMEOUTS = { keepAliveTimeout: 90_000, headersTimeout: 20_000, requestTimeout: 60_000 };

/** Node's parser errors that have a status of their own (RFC 9110, RFC 6585). */
const PARSER_STATUS: Readonly<Record<string, 408 | 431>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** What answers requests of HTTP/1.1 or HTTP/2. `headers` go on the answers that the app never sees. */
export function createListener(app: OpenAPIHono, headers: Readonly<Record<string, string>>) {
  return getRequestListener(app.fetch, {
    // Thrown before the app: a Host or a target that make no URL.
    errorHandler: () =>
      new Response(problemBody({ status: 400, detail: "The request's target or Host is not valid." }), {
        status: 400,
        headers: problemHeaders(headers),
      }),
  });
}

/** An HTTP server for the app, not yet listening. `headers` go on the answers that the app never sees. */
export function createHttpServer(app: OpenAPIHono, headers: Readonly<Record<string, string>>): Server {
  const refused = problemHeaders(headers);
  const listener = createListener(app, headers);
  // A missing Host is refused by the error handler above: Node's own answer would lack the headers.
  const options = { ...TIMEOUTS, connectionsCheckingInterval: 5000, requireHostHeader: false };
  const server = createServer(options, (request, response) => {
    // HTTP/1.0 has no Host, and balancers still check health in it.
    if (request.httpVersion === "1.0") request.headers.host ??= "localhost";
    void listener(request, response);
  });
  server.on("checkExpectation", (_, response: ServerResponse) => {
    response.writeHead(417, { ...refused, Connection: "close" });
    response.end(problemBody({ status: 417, detail: "The only expectation that is met is 100-continue." }));
  });
  server.on("clientError", (error, socket) => refuse(error, socket as Socket, refused));
  return server;
}

function problemHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return { "Content-Type": "application/problem+json", ...headers };
}

/** Listens, and gives the address that it got. Rejects with the system's error. */
export function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Answers what is not HTTP; nothing when the client is gone or an answer has begun. */
function refuse(
  error: NodeJS.ErrnoException,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const status = PARSER_STATUS[error.code ?? ""] ?? 400;
  const body = problemBody({ status, detail: "The request is not valid HTTP/1.1, too large or too slow." });
  const fields = Object.entries({
    ...headers,
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
