import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import type { TlsOptions } from "node:tls";

export { unusedPort as refusedPort } from "../../../../test.shared.ts";

/** A request as an upstream saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Upstream {
  readonly url: string;
  readonly port: number;
  readonly server: Server | SecureServer;
  /** Requests that arrived whole, in order. */
  readonly seen: Seen[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** A real server on a loopback port, with HTTPS where `tls` says how, that reads each request to its end, notes it, and then answers. */
export async function upstream(
  answer: Answer = (_request, response) => response.end("ok"),
  tls?: TlsOptions,
): Promise<Upstream> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const { method, url, headers, rawHeaders } = request;
      seen.push({ method: method!, url: url!, headers, rawHeaders, body });
      answer(request, response, body);
    });
  };
  const options = { keepAliveTimeout: 60_000, ...tls };
  const server = tls ? createSecureServer(options, listener) : createServer(options, listener);
  const port = await listening(server);
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    server,
    seen,
    close: () => closing(server),
  };
}

export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  /** Sockets that are open now. */
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

/** A server that speaks bytes: for answers that no HTTP library would send. */
export async function rawUpstream(connected: (socket: Socket) => void): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    connected(socket);
  });
  const port = await listening(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return closing(server);
  };
  return { url: `http://127.0.0.1:${port}`, port, sockets, close };
}

async function listening(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function closing(server: Server | SecureServer | NetServer): Promise<void> {
  if ("closeAllConnections" in server) server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
