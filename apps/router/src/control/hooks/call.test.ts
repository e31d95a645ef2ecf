import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { call, hooks } from "../../../test/support/hooks.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Seen {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** A receiver of calls. `answer` undefined: it never answers. */
async function receiver(answer?: {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
  endless?: boolean;
}) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ request, body });
    if (answer === undefined) return;
    response.writeHead(answer.status, answer.headers);
    if (!answer.endless) return response.end(answer.body);
    const pour = () => {
      while (!response.destroyed && response.write(answer.body ?? "x".repeat(16_384)));
    };
    response.on("drain", pour);
    pour();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/released?token=hunter2`, seen };
}

describe("a call", () => {
  it("gets the rollout's facts and a key that stays the same, and passes by 2xx", async () => {
    const { url, seen } = await receiver({ status: 204 });
    const { run, log } = hooks({ tell: call(url, { headers: { Authorization: "Bearer hunter2" } }) });
    expect(await run("tell")).toEqual({ ok: true, detail: `POST ${new URL(url).origin} answered 204` });
    await run("tell");
    const [first, second] = seen;
    expect(JSON.parse(first!.body)).toEqual({
      hook: "tell",
      moment: "before_promotion",
      idempotency_key: "r-1:before_promotion",
      rollout: {
        id: "r-1",
        phase: "promoting",
        share: 50,
        expect: "better",
        by: "ana",
        reason: "a better model\0",
      },
      candidate: {
        color: "green",
        version: "1.0.1",
        digest: "sha256:b",
        targets: ["http://127.0.0.1:8002", "http://127.0.0.1:8012"],
      },
      stable: { color: "blue", version: "1.0.0", digest: "sha256:a", targets: [] },
    });
    for (const { request } of [first!, second!]) {
      expect(request.headers).toMatchObject({
        authorization: "Bearer hunter2",
        "content-type": "application/json",
        "idempotency-key": '"r-1:before_promotion"',
      });
    }
    expect(first!.request.url).toBe("/released?token=hunter2");
    expect(log.text).toMatch(/info: A hook begins\.\ninfo: A hook has passed\./);
    expect(JSON.stringify(log.lines)).not.toContain("hunter2");
  });

  it("fails by any other status, and says why, without the secrets that the answer repeats", async () => {
    const { url } = await receiver({ status: 500, body: "no:\n token hunter2-long was refused" });
    const { run, log } = hooks({ tell: call(url, { headers: { Authorization: "Bearer hunter2-long" } }) });
    expect(await run("tell")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/answered 500: no: token \*\*\* was refused$/),
    });
    expect(log.text).toContain("warn: A hook has failed.");
    expect(JSON.stringify(log.lines)).not.toContain("hunter2");
  });

  it("is named by its origin alone: the path of a chat's webhook is a secret, also where the answer repeats it", async () => {
    const secret = "T0PSECRETT0PSECRET";
    const { url } = await receiver({ status: 404, body: `Cannot POST /services/${secret}` });
    const { origin } = new URL(url);
    const { run, log } = hooks({ tell: call(`${origin}/services/${secret}`) });
    expect((await run("tell")).detail).toBe(`POST ${origin} answered 404: Cannot POST /services/***`);
    expect(JSON.stringify(log.lines)).not.toContain(secret);
  });

  it("follows no redirect", async () => {
    const elsewhere = await receiver({ status: 200 });
    const { url } = await receiver({ status: 307, headers: { Location: elsewhere.url } });
    const { run } = hooks({ tell: call(url) });
    expect(await run("tell")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/answered 307, and redirects are not followed/),
    });
    expect(elsewhere.seen).toEqual([]);
  });

  it("reads only the end of a large answer, and not without end", async () => {
    const { url } = await receiver({ status: 400, body: Buffer.alloc(8 << 20, "x") });
    const { detail } = await hooks({ tell: call(url) }).run("tell");
    expect(detail.length).toBeLessThan(400);
  });

  it.each([false, true])(
    "shows no piece of a secret where the answer was cut; endless: %s",
    async (endless) => {
      const body = "hunter2-long".repeat(endless ? 99_999 : 7001);
      const { url } = await receiver({ status: 500, body, endless });
      const { run } = hooks({ tell: call(url, { headers: { Authorization: "hunter2-long" } }) });
      expect((await run("tell")).detail).toMatch(/ answered 500: …\*+$/);
    },
  );

  it("does not wait for the end of an answer that has none", async () => {
    const { url } = await receiver({ status: 200, endless: true });
    const { run } = hooks({ tell: call(url, { timeout: 600_000 }) });
    expect(await run("tell")).toMatchObject({ ok: true, detail: expect.stringContaining("answered 200: ") });
  });

  it("fails when nobody answers in time, when nobody listens, and when it is given up", async () => {
    const { url } = await receiver();
    const { run } = hooks({
      slow: call(url, { timeout: 50 }),
      gone: call("http://127.0.0.1:1/"),
      waits: call(url),
    });
    expect(await run("slow")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/did not answer within 0\.05 s$/),
    });
    expect(await run("gone")).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/failed \(ECONNREFUSED|failed \(bad port/),
    });
    const giving = new AbortController();
    const waiting = run("waits", giving.signal);
    giving.abort();
    expect(await waiting).toMatchObject({ ok: false, detail: expect.stringMatching(/was given up$/) });
  });

  it("may be a GET without a body", async () => {
    const { url, seen } = await receiver({ status: 200, body: "ok" });
    expect(await hooks({ ask: call(url, { method: "GET" }) }).run("ask")).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^GET .* answered 200: ok$/),
    });
    expect([seen[0]!.request.method, seen[0]!.body]).toEqual(["GET", ""]);
  });
});
