import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { endOfAnswer, KeepAlive } from "./keep-alive.ts";

it("finds the end of an answer with a length", () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  expect(endOfAnswer(`${answer}HTTP/1.1`)).toBe(answer.length);
});

it("finds the end of a chunked answer", () => {
  const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  expect(endOfAnswer(answer)).toBe(answer.length);
  expect(endOfAnswer(answer.slice(0, -1))).toBeUndefined();
});

it("finds none in half a head", () => {
  expect(endOfAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")).toBeUndefined();
});

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());

async function serve(status: number): Promise<number> {
  server = createServer((_request, response) => response.writeHead(status).end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return (server.address() as AddressInfo).port;
}

it("sends one request after another on one connection", async () => {
  const connection = new KeepAlive(await serve(200), undefined, () => {});
  for (let i = 0; i < 3; i++) {
    expect(await new Promise((resolve) => connection.send(resolve))).toBe(true);
  }
  connection.socket.destroy();
});

it("tells an answer other than 200", async () => {
  const connection = new KeepAlive(await serve(503), undefined, () => {});
  expect(await new Promise((resolve) => connection.send(resolve))).toBe(false);
  connection.socket.destroy();
});

it("tells a connection that ended without an answer", async () => {
  const port = await serve(200);
  const connection = new KeepAlive(port, undefined, () => {});
  const outcome = new Promise((resolve) => connection.send(resolve));
  connection.socket.destroy();
  expect(await outcome).toBe(false);
  expect(connection.closed).toBe(true);
});
