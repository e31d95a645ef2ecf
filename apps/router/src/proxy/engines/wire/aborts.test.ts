import { describe, expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { refusedPort } from "../../../../test/support/upstream.ts";
import {
  blamed,
  GET,
  hearing,
  muchLater,
  OK,
  POST,
  requestsIn,
  untroubled,
  wireRouter,
} from "../../../../test/support/wire.ts";

// That leases, places in flight, buffered bytes and connections are given back is checked by the router's close().

untroubled();
const keep = closing();

const partial = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
const untilClose = "HTTP/1.1 200 OK\r\n\r\nabc";

describe.each(["reset", "close", "half-close"] as const)("a client that goes away (%s)", (how) => {
  const leave = ({ socket }: RawClient) => {
    if (how === "reset") socket.resetAndDestroy();
    else if (how === "close") socket.destroy();
    else socket.end();
  };

  it.each([
    ["at once", ""],
    ["in its head", "GET / HTTP/1.1\r\nHo"],
    ["between requests", ""],
  ])("%s leaves nothing behind", async (when, sent) => {
    const blue = keep(await hearing((socket) => socket.write(OK)));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    await eventually(() => router.plane.connections === 1);
    if (when === "between requests") {
      client.send(GET);
      await client.until("ok");
    }
    client.send(sent);
    leave(client);
    await eventually(() => router.plane.connections === 0);
    expect(router.lines.map(({ status }) => status)).toEqual(when === "between requests" ? [200] : []);
  });

  it.each([
    ["in its body", `${POST}Content-Length: 9\r\n\r\nabc`, "", /abc$/],
    ["in a chunk", `${POST}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`, "", /abc\r\n$/],
    ["in its trailers", `${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX:`, "", /abc\r\n$/],
    [
      "before its body is asked for",
      `${POST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
      "",
      /\r\n\r\n$/,
    ],
    ["while it waits", GET, "", /\r\n\r\n$/],
    ["after 1xx", GET, "HTTP/1.1 103 Early Hints\r\n\r\n", /\r\n\r\n$/],
    ["in a head", GET, "HTTP/1.1 200 OK\r\nConte", /\r\n\r\n$/],
    ["in a body by length", GET, partial, /\r\n\r\n$/],
    ["in a chunked body", GET, chunked, /\r\n\r\n$/],
    ["in a body until the close", GET, untilClose, /\r\n\r\n$/],
    ["in an answer that came early", `${POST}Content-Length: 9\r\n\r\nabc`, chunked, /abc$/],
    ["with requests behind this one", GET + GET + GET, "", /\r\n\r\n$/],
  ])("%s cancels the upstream's work, and nobody is blamed", async (_when, sent, answer, reached) => {
    const blue = keep(await hearing((socket) => answer && socket.write(answer)));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(sent);
    await eventually(() => reached.test(blue.received[0] ?? ""));
    if (answer.includes("abc")) await client.until("abc");
    await muchLater(router);
    leave(client);
    await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
    expect(router.lines).toMatchObject([{ status: 499, outcome: "client_abort" }]);
    expect(blamed(router)).toBe(0);
    expect(requestsIn(blue.received.join(""))).toBeLessThanOrEqual(1);
  });
});

describe("an upstream that", () => {
  const refused = async () => `http://127.0.0.1:${await refusedPort()}`;
  const standby = async (first: string) => {
    const green = keep(await hearing((socket, all) => /\r\n\r\n(?:abc)?$/.test(all) && socket.write(OK)));
    const colors = { blue: { weight: 1, targets: [first] }, green: { weight: 0, targets: [green.url] } };
    return { green, router: keep(await wireRouter(colors)) };
  };

  it.each([
    ["GET", GET],
    ["POST", `${POST}Content-Length: 3\r\n\r\nabc`],
  ])("refuses a %s is passed over", async (_method, request) => {
    const { router } = await standby(await refused());
    const client = keep(await RawClient.connect(router.port));
    client.send(request);
    expect(await client.until("ok")).toMatch(/X-Sluice-Color: green/);
    expect(blamed(router)).toBe(1);
  });

  it.each([
    ["resets before it reads", "", true],
    ["resets after it has read", "", false],
    ["resets after 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", false],
    ["resets in its head", "HTTP/1.1 200 OK\r\nConte", false],
  ])("%s costs a GET nothing, and a POST a 502", async (_when, answer, atOnce) => {
    const blue = keep(
      await hearing((socket) => {
        if (answer) socket.write(answer, () => socket.resetAndDestroy());
        else socket.resetAndDestroy();
      }),
    );
    const { green, router } = await standby(blue.url);
    if (atOnce) blue.sockets.forEach((socket) => void socket.resetAndDestroy());
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    expect(await client.until("ok")).toMatch(/X-Sluice-Color: green/);
    client.send(`${POST}Content-Length: 3\r\n\r\nabc`);
    expect(await client.until(/\}\n$/)).toMatch(/HTTP\/1\.1 502 /);
    expect(green.received.join("")).not.toMatch(/POST/);
    expect(blamed(router)).toBe(2);
  });

  it.each([
    ["by length", partial],
    ["chunked", chunked],
    ["until the close", untilClose],
  ])("resets in its body (%s) leaves the client's message broken off", async (_how, answer) => {
    const blue = keep(await hearing((socket) => socket.write(answer)));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    const text = await client.until("abc");
    for (const socket of blue.sockets) socket.resetAndDestroy();
    const all = await client.untilClosed();
    expect(all).toMatch(/\r\n\r\n(?:3\r\n)?abc(?:\r\n)?$/);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    await eventually(() => router.lines.length === 1);
    expect(router.lines).toMatchObject([{ outcome: "truncated" }]);
    expect(blamed(router)).toBe(1);
  });

  it("resets in the middle of an upload is answered for, once", async () => {
    const blue = keep(await hearing((socket, all) => all.endsWith("abc") && socket.resetAndDestroy()));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 9\r\n\r\nabc`);
    await client.until(/\}\n$/);
    client.send("def");
    expect((await client.untilClosed()).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 502"]);
    expect(router.lines).toHaveLength(1);
  });

  it("disappears from the snapshot answers what it has begun", async () => {
    const blue = keep(await hearing((socket) => socket.write(partial)));
    const other = keep(await hearing((socket) => socket.write(OK)));
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(GET);
    await client.until("abc");
    router.serve({ blue: { weight: 1, targets: [other.url] } });
    for (const socket of blue.sockets) socket.write("defghi");
    await client.until("abcdefghi");
    client.send(GET);
    await client.until("ok");
    expect(requestsIn(other.received.join(""))).toBe(1);
    expect(router.lines).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it("disappears from the snapshot may still be waited for", async () => {
    const blue = keep(await hearing());
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 9\r\n\r\nabc`);
    await eventually(() => blue.received[0]?.endsWith("abc") === true);
    router.serve({ blue: { weight: 1, targets: [] } });
    client.send("defghi");
    await eventually(() => blue.received[0]?.endsWith("ghi") === true);
    for (const socket of blue.sockets) socket.write(OK);
    await client.until("ok");
  });

  it("answers before the body ends is heard, and the client's connection closed", async () => {
    const blue = keep(
      await hearing((socket) => {
        socket.write("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        socket.removeAllListeners("data").resume();
      }),
    );
    const router = keep(await wireRouter(blue.url));
    const client = keep(await RawClient.connect(router.port));
    client.send(`${POST}Content-Length: 5000000\r\n\r\nabc`);
    client.send("x".repeat(4_000_000));
    expect(await client.untilClosed()).toMatch(
      /^HTTP\/1\.1 413 No[\s\S]*\r\nConnection: close\r\n[\s\S]*no$/,
    );
    expect(client.reset).toBe(false);
    await eventually(() => blue.sockets.size === 0);
    expect(blamed(router)).toBe(0);
  });
});
