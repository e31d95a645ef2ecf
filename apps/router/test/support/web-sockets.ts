import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { KeyPair } from "../../src/tls/material.ts";

export interface SocketUpstream {
  readonly url: string;
  readonly server: Server;
  /** Connections in the order in which they were opened. */
  readonly peers: WebSocket[];
  /** The code of each connection that was closed. */
  readonly codes: number[];
  close(): Promise<void>;
}

/** A WebSocket server by the package `ws`. `opened` is told of each connection; default: it answers what it hears. @param pair its certificate; default: no TLS */
export async function socketUpstream(
  opened: (peer: WebSocket) => void = (peer) =>
    peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary })),
  options: ServerOptions = {},
  pair?: KeyPair,
): Promise<SocketUpstream> {
  const answer: RequestListener = (_request, response) => response.end("ok");
  const server = pair ? createSecureServer(pair, answer) : createServer(answer);
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
  return { url: `${pair ? "https" : "http"}://127.0.0.1:${port}`, server, peers, codes, close };
}
