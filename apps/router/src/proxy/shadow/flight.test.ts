import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { TestAuthority } from "../../../test/support/certificates.ts";
import { closing } from "../../../test/support/open.ts";
import { untilPasses } from "../../../test/support/until-passes.ts";
import { rawUpstream, refusedPort, upstream } from "../../../test/support/upstream.ts";
import { Dialer } from "../../targets/dialer.ts";
import { Target } from "../../targets/target.ts";
import { PLAIN_UPSTREAM } from "../../tls/material.ts";
import { Gathered } from "../answers/gathered.ts";
import { CopyConnections } from "./copy-connections.ts";
import { type Echo, Flight, type Letter } from "./flight.ts";

const keep = closing();
const gathered = (content: string | Buffer) => {
  const body = new Gathered();
  body.add(Buffer.from(content as string));
  return body;
};
const LETTER: Letter = { path: "/p?a=1", fields: [["Host", "main"]], body: gathered("{}") };
const LIMITS = { timeout: 60_000, answer: 100_000 };

const open: CopyConnections[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const connections of open.splice(0)) connections.destroy();
});

function connections(dialer = new Dialer()): CopyConnections {
  const made = new CopyConnections(dialer);
  open.push(made);
  return made;
}

const fly = (through: CopyConnections, target: Target, letter: Partial<Letter> = {}, limits = LIMITS) =>
  new Promise<Echo>((landed) => new Flight(through, target, { ...LETTER, ...letter }, limits, landed));

/** A server that says the same to each request, whole or byte by byte, and how many connections were made to it. */
async function saying(text: string, how: { readonly bytes?: boolean; readonly end?: boolean } = {}) {
  const seen = { connections: 0, requests: "" };
  const server = keep(
    await rawUpstream((socket) => {
      seen.connections++;
      socket.setNoDelay(true);
      socket.on("data", (data) => {
        seen.requests += data.toString("latin1");
        for (const part of how.bytes ? text.split("") : [text]) socket.write(part, "latin1");
        if (how.end) socket.end();
      });
    }),
  );
  return { seen, sockets: server.sockets, target: new Target(server.url, 0) };
}

const OK = "HTTP/1.1 200 OK\r\n";
const said = async (text: string, how = {}, limits = LIMITS) => {
  const { target, seen, sockets } = await saying(text, how);
  const through = connections();
  const first = await fly(through, target, {}, limits);
  const second = await fly(through, target, {}, limits);
  expect({ ...second, content: second.content.text() }).toEqual({ ...first, content: first.content.text() });
  return { ...first, text: first.content.text(), made: seen.connections, sockets };
};

describe.each([{ bytes: false }, { bytes: true }])("an answer (byte by byte: $bytes)", (how) => {
  it.each([
    ["with a length", `${OK}Content-Length: 2\r\n\r\nok`],
    ["in chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;a=b\r\nk\r\n0\r\nX-T: 1\r\n\r\n`],
    [
      "after interim ones",
      `HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 100 C\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
    ],
  ])("%s is read, and its connection used again", async (_, text) => {
    expect(await said(text, how)).toMatchObject({ outcome: "answered", status: 200, text: "ok", made: 1 });
  });

  it.each([
    ["that closes", `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok`, {}],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", {}],
    ["until the connection's end", `${OK}\r\nok`, { end: true }],
  ])("%s is read, and its connection not used again", async (_, text, more) => {
    const { made, ...echo } = await said(text, { ...how, ...more });
    expect(echo).toMatchObject({ outcome: "answered", status: 200, text: "ok" });
    expect(made).toBe(2);
  });

  it.each([
    ["that is nonsense", "nonsense\r\n\r\n"],
    ["with two lengths", `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`],
    ["with a length and chunks", `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["with a chunk of no size", `${OK}Transfer-Encoding: chunked\r\n\r\nx\r\n`],
    ["that switches protocols", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["with a head without end", `${OK}X: ${"x".repeat(70_000)}`],
    ["after interim ones without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(101)],
    [
      "after an interim one with a body",
      `HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    ],
  ])("%s is none, and ends the connection", async (_, text) => {
    const { sockets, ...echo } = await said(text, how);
    expect(echo).toMatchObject({ outcome: "reset", text: "", made: 2 });
    await untilPasses(() => expect(sockets.size).toBe(0));
  });

  it("that ends too early is none", async () => {
    const text = `${OK}Content-Length: 3\r\n\r\nok`;
    expect(await said(text, { ...how, end: true })).toMatchObject({ outcome: "reset", text: "" });
  });
});

it("says what kind of answer it is", async () => {
  const head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
  expect(await said(`${OK}${head}Content-Length: 2\r\n\r\nok`)).toMatchObject({
    type: "application/json",
    coding: "gzip",
  });
  const failed = await said("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno");
  expect(failed).toMatchObject({ outcome: "failed", status: 503, text: "", made: 1 });
  const rejected = await said("HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\nno");
  expect(rejected).toMatchObject({ outcome: "rejected", status: 422, text: "", made: 1 });
});

it("writes a request that is framed anew", async () => {
  const { target, seen } = await saying(`${OK}Content-Length: 0\r\n\r\n`);
  const fields = [
    ["Host", "main"],
    ["Transfer-Encoding", "chunked"],
    ["CONNECTION", "TE"],
    ["Accept-Encoding", "br"],
    ["X-A", "\u00e9"],
  ] as const;
  await fly(connections(), target, { fields });
  expect(seen.requests).toBe(
    "POST /p?a=1 HTTP/1.1\r\nHost: main\r\nX-A: \u00e9\r\nAccept-Encoding: identity\r\nX-Sluice-Shadow: 1\r\nContent-Length: 2\r\n\r\n{}",
  );
});

it.each<[string, Partial<Letter>]>([
  ["a name that is none", { fields: [["not a name", "x"]] }],
  ["a value that ends the line", { fields: [["X-A", "x\r\nEvil: 1"]] }],
  ["a value that would end the line in latin1", { fields: [["X-A", "x\u010d\u010aEvil: 1"]] }],
  ["a path that ends the line", { path: "/ HTTP/1.1\r\nEvil: 1" }],
  ["a path that would end the line in latin1", { path: "/\u010d\u010aEvil:1" }],
])("writes nothing of a copy with %s", async (_, letter) => {
  const { target, seen } = await saying(`${OK}Content-Length: 0\r\n\r\n`);
  const through = connections();
  expect(await fly(through, target, letter)).toMatchObject({ outcome: "reset", status: 0 });
  expect(await fly(through, target)).toMatchObject({ outcome: "answered" });
  expect(seen.requests).not.toMatch(/evil|not a name/i);
});

it("sends large bodies whole", async () => {
  const server = keep(await upstream());
  const through = connections();
  const target = new Target(server.url, 0);
  const bodies = [0, 16_384, 16_385, 3_000_000].map((size) => Buffer.alloc(size, "\xff\n0", "latin1"));
  for (const body of bodies)
    expect(await fly(through, target, { body: gathered(body) })).toMatchObject({ outcome: "answered" });
  expect(server.seen.map(({ body }, i) => body.equals(bodies[i]!))).toEqual([true, true, true, true]);
});

it("does not take for an answer what comes behind one", async () => {
  const text = `${OK}Content-Length: 2\r\n\r\nok${OK}Content-Length: 4\r\n\r\nevil`;
  expect(await said(text)).toMatchObject({ outcome: "answered", text: "ok", made: 2 });
});

it("does not use a connection on which something came unasked", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] }); // or it would be closed for having been idle
  const { target, seen, sockets } = await saying(`${OK}Content-Length: 2\r\n\r\nok`);
  const through = connections();
  await fly(through, target);
  const [socket] = sockets;
  socket!.write(`${OK}Content-Length: 4\r\n\r\nevil`);
  await once(socket!, "close");
  expect((await fly(through, target)).content.text()).toBe("ok");
  expect(seen.connections).toBe(2);
});

it("closes connections that have been idle for four seconds, and looks at nothing then", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const { target, seen, sockets } = await saying(`${OK}Content-Length: 2\r\n\r\nok`);
  const through = connections();
  await fly(through, target);
  vi.advanceTimersByTime(3500);
  await fly(through, target);
  vi.advanceTimersByTime(3500);
  expect([seen.connections, sockets.size, vi.getTimerCount()]).toEqual([1, 1, 1]);
  vi.advanceTimersByTime(500);
  expect(vi.getTimerCount()).toBe(0);
  await untilPasses(() => expect(sockets.size).toBe(0));
  expect((await fly(through, target)).content.text()).toBe("ok");
  expect([seen.connections, vi.getTimerCount()]).toEqual([2, 1]);
});

it("ends at its time, at too much, and when it is given up", async () => {
  const silent = await saying("");
  expect(await fly(connections(), silent.target, {}, { ...LIMITS, timeout: 5 })).toMatchObject({
    outcome: "timeout",
    status: 0,
  });
  await untilPasses(() => expect(silent.sockets.size).toBe(0));
  const long = await said(`${OK}Content-Length: 99\r\n\r\n${"x".repeat(99)}`, {}, { ...LIMITS, answer: 98 });
  expect(long).toMatchObject({ outcome: "too_large", text: "", made: 2 });
  await untilPasses(() => expect(long.sockets.size).toBe(0));
  const landed: Echo[] = [];
  const flight = new Flight(connections(), silent.target, LETTER, LIMITS, (echo) => landed.push(echo));
  flight.abort();
  flight.abort();
  expect(landed).toMatchObject([{ outcome: "aborted" }]);
});

it("says that there is no connection", async () => {
  const target = new Target(`http://127.0.0.1:${await refusedPort()}`, 0);
  expect(await fly(connections(), target)).toMatchObject({ outcome: "connect" });
});

it("goes inside TLS where the target's URL says so, or not at all", async () => {
  const ca = await TestAuthority.create();
  const server = keep(await upstream(undefined, await ca.issue()));
  const target = new Target(server.url, 0);
  expect(await fly(connections(), target)).toMatchObject({ outcome: "connect" });
  const dialer = new Dialer();
  dialer.use({ ...PLAIN_UPSTREAM, ca: ca.cert });
  const through = connections(dialer);
  for (const body of ["{}", "x".repeat(200_000)])
    expect(await fly(through, target, { body: gathered(body) })).toMatchObject({ outcome: "answered" });
  expect(server.seen.map(({ body }) => body.length)).toEqual([2, 200_000]);
});

it("says that there is no connection where a target wants a certificate, which it says after the handshake", async () => {
  const ca = await TestAuthority.create();
  const wants = { ...(await ca.issue()), requestCert: true, rejectUnauthorized: true, ca: ca.cert };
  const server = keep(await upstream(undefined, { ...wants, minVersion: "TLSv1.3" }));
  const dialer = new Dialer();
  dialer.use({ ...PLAIN_UPSTREAM, ca: ca.cert });
  expect(await fly(connections(dialer), new Target(server.url, 0))).toMatchObject({ outcome: "connect" });
  expect(server.seen).toEqual([]);
});
