import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { closing, eventually } from "../../../../test/support/open.ts";
import { TEST_CONFIG, testRouter } from "../../../../test/support/plane.ts";
import { RawClient } from "../../../../test/support/raw-client.ts";
import { rawUpstream, upstream } from "../../../../test/support/upstream.ts";

// Each test guards a mend of http-proxy 1.18.1 and is red without it; the comment says which one. The other mends are
// guarded by the conformance suite (docs/engines.md).

const keep = closing();
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** An upstream that answers the first request on each connection and resets at any other. */
async function stale() {
  const seen = { hits: 0 };
  const raw = keep(
    await rawUpstream((socket) => {
      let answered = false;
      socket.on("data", () => {
        seen.hits++;
        if (answered) socket.resetAndDestroy();
        else socket.write(OK);
        answered = true;
      });
    }),
  );
  const retry = { ...TEST_CONFIG.retry, attempts: 0 };
  const router = keep(await testRouter({ blue: { weight: 1, targets: [raw.url] } }, { config: { retry } }));
  return { seen, raw, router };
}

// RequestHandler.run listens to the response's close.
it("closes the upstream connection when the client of a GET goes away", async () => {
  const blue = keep(await rawUpstream(() => {}));
  const router = keep(await testRouter({ blue: { weight: 1, targets: [blue.url] } }));
  const client = await RawClient.connect(router.port);
  client.send(GET);
  await eventually(() => blue.sockets.size === 1);
  const [socket] = blue.sockets;
  await once(socket!, "data");
  client.close();
  await eventually(() => blue.sockets.size === 0);
  await eventually(() => router.lines.length === 1);
  expect(router.lines[0]).toMatchObject({ status: 499, outcome: "client_abort" });
  expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
});

// HttpProxyEngine.#upgrade has an error listener on the socket, and Tunnel.#left takes its end for an abort.
it.each(["reset", "close"] as const)("survives a WebSocket client's %s before 101", async (how) => {
  const blue = keep(await rawUpstream((socket) => socket.resume()));
  const router = keep(await testRouter({ blue: { weight: 1, targets: [blue.url] } }));
  const client = await RawClient.connect(router.port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await eventually(() => blue.sockets.size === 1);
  if (how === "reset") client.socket.resetAndDestroy();
  else client.close();
  await eventually(() => blue.sockets.size === 0 && router.lines.length === 1);
  expect(router.lines).toMatchObject([{ status: 499, outcome: "client_abort" }]);
  expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
});

// Pools are Agents with keepAlive.
it("reuses connections to upstreams", async () => {
  const blue = keep(await upstream());
  let connections = 0;
  blue.server.on("connection", () => connections++);
  const router = keep(await testRouter({ blue: { weight: 1, targets: [blue.url] } }));
  for (let i = 0; i < 5; i++) await (await fetch(router.url)).text();
  expect(connections).toBe(1);
});

// quiet-extend.ts is imported before http-proxy.
it("starts without a warning", async () => {
  const engine = new URL("./index.ts", import.meta.url).pathname;
  const script = `await import(${JSON.stringify(engine)})`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, "close");
  expect(errors).toBe("");
  expect(code).toBe(0);
});

// Attempt.failed sends once more over a fresh connection.
it("repeats a GET on a stale connection without anyone noticing", async () => {
  const { seen, router } = await stale();
  for (let i = 0; i < 3; i++) expect(await (await fetch(router.url)).text()).toBe("ok");
  expect(seen.hits).toBe(4);
  expect(router.plane.colors[0]?.targets[0]?.errors).toBe(0);
});

// The same asks whether the request may be repeated.
it("sends a POST on a stale connection once", async () => {
  const { seen, router } = await stale();
  const post = { method: "POST", body: "x" };
  expect((await fetch(router.url, post)).status).toBe(200);
  const before = seen.hits;
  expect((await fetch(router.url, post)).status).toBe(502);
  expect(seen.hits - before).toBe(1);
});

// RequestHandler raises the limit of listeners, of which http-proxy adds two for each attempt.
it("repeats a request many times without a warning", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const blue = keep(await rawUpstream((socket) => socket.once("data", () => socket.end())));
  const retry = { ...TEST_CONFIG.retry, attempts: 20, budget: 1000 };
  const router = keep(await testRouter({ blue: { weight: 1, targets: [blue.url] } }, { config: { retry } }));
  expect((await fetch(router.url)).status).toBe(502);
  expect(router.lines[0]?.attempts).toBe(21);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  expect(warnings).toEqual([]);
});
