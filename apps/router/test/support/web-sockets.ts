import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";

export interface SocketUpstream {
  readonly url: string;
  readonly server: Server;
  /** Connections in the order in which they were opened. */
  readonly peers: WebSocket[];
  /** The code of each connection that was closed. */
  readonly codes: number[];
  close(): Promise<void>;
}

/** A WebSocket server by the package `ws`. `opened` is told of each connection; default: it answers what it hears. */
export async function socketUpstream(
  opened: (peer: WebSocket) => void = (peer) =>
    peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary })),
  options: ServerOptions = {},
): Promise<SocketUpstream> {
  const server = createServer((_request, response) => response.end("ok"));
  const sockets = new WebSocketServer({ server, ...options });
  const [peers, codes]: [WebSocket[], number[]] = [[], []];
  sockets.on("connection", (peer) => {
    peers.push(peer);
    peer.on("error", () => {});
    peer.on("close", (code) => codes.push(code));
    opened(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async () => {
    for (const peer of peers) peer.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server, peers, codes, close };
}
