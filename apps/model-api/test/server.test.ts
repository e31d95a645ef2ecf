import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import supertest from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identityHeaders } from "../src/app.ts";
import { createHttpServer, listen } from "../src/server.ts";
import { TRIP, testApi } from "./support/api.ts";

let server: Server;
let port: number;

beforeAll(async () => {
  const { app, service } = testApi(4096);
  server = createHttpServer(app, identityHeaders(service));
  ({ port } = await listen(server, 0, "127.0.0.1"));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Sends bytes as they are and gives all that comes back until the server closes. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  return text(socket);
}

const row = JSON.stringify({ data: [TRIP] });
const head = (fields: string) =>
  `POST /api/predict/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n${fields}\r\n\r\n`;

describe("the server, at its socket", () => {
  it("answers a prediction and keeps the connection longer than a proxy would", async () => {
    const response = await supertest(server)
      .post("/api/predict/")
      .set("Connection", "keep-alive")
      .send({ data: [TRIP] });
    expect(response.status).toBe(200);
    expect(response.body.predictions[0].fare_amount).toBeGreaterThan(2.5);
    expect(response.headers["keep-alive"]).toBe("timeout=90");
  });

  it("takes a body in chunks", async () => {
    const chunks = [row.slice(0, 40), row.slice(40)].map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    );
    expect(await raw(`${head("Transfer-Encoding: chunked")}${chunks.join("")}0\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  it("refuses too large a body in chunks while it is still coming", async () => {
    const endless = `1000\r\n${" ".repeat(4096)}\r\n`.repeat(3);
    expect(await raw(`${head("Transfer-Encoding: chunked")}${endless}`)).toMatch(
      /^HTTP\/1\.1 413 .*larger than 4096 bytes/s,
    );
  });

  it("refuses too large a body by its length, before any of it came", async () => {
    expect(await raw(head("Content-Length: 5000"))).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ["what is not HTTP", "\x16\x03\x01\x02\r\n\r\n", 400],
    ["both framings", `${head("Content-Length: 3\r\nTransfer-Encoding: chunked")}0\r\n\r\n`, 400],
    ["a broken chunk", `${head("Transfer-Encoding: chunked")}zz\r\n`, 400],
    ["no Host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["a Host that is none", "GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
    [
      "an expectation that nobody knows",
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: tea\r\n\r\n",
      417,
    ],
    ["huge headers", `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ])("answers %s with a problem document, the model's headers on it", async (_, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toMatch(/x-model-version: 1\.2\.3/i);
  });

  it("answers checks in HTTP/1.0, which need no Host", async () => {
    expect(await raw("GET /health/ready HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 .*"status":"ready"/s);
  });

  it("goes on after clients that vanish in the middle of a body", async () => {
    for (const framing of ["Content-Length: 500", "Transfer-Encoding: chunked"]) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      const arrived = once(server, "request");
      socket.write(head(framing));
      await arrived;
      socket.resetAndDestroy();
      await once(socket, "close");
    }
    expect((await supertest(server).get("/health/ready")).status).toBe(200);
  });
});
