import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../test/conformance/engines.ts";
import { closing } from "../../test/support/open.ts";
import { type PlaneOptions, testRouter } from "../../test/support/plane.ts";
import { type Answer, upstream } from "../../test/support/upstream.ts";
import type { Field } from "../core/forwarding.ts";
import type { SentRequest, Tap, Taps } from "./tap.ts";

/** Notes everything that it is told. */
class Recording implements Tap {
  heads: unknown[] = [];
  answer = "";
  sent: { body: string | undefined; fields: readonly Field[] } | undefined;
  closed = 0;

  head(status: number, type: string | undefined, coding: string | undefined): void {
    this.heads.push([status, type, coding]);
  }

  part(bytes: Buffer, start: number, end: number): void {
    this.answer += bytes.toString("latin1", start, end);
  }

  end({ body, fields }: SentRequest): void {
    this.sent = { body: body && Buffer.concat(body).toString(), fields: fields() };
  }

  close(): void {
    this.closed++;
  }
}

class Recorder implements Taps {
  readonly taps: Recording[] = [];

  open(): Tap {
    const tap = new Recording();
    this.taps.push(tap);
    return tap;
  }
}

describe.each(ENGINES)("a tap at the engine $name", ({ create }) => {
  const keep = closing();

  const tapped = async (answer: Answer, options: PlaneOptions = {}) => {
    const server = keep(await upstream(answer));
    const router = keep(await testRouter({ blue: { weight: 1, targets: [server.url] } }, options, create));
    const recorder = new Recorder();
    router.plane.taps = recorder;
    return { ...router, server, taps: recorder.taps };
  };
  const post = (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/predict/`, { method: "POST", body, headers });

  it("sees the request as it was sent, and the answer as its client gets it", async () => {
    const { url, server, taps } = await tapped((_, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end('{"a":1}');
    });
    const answer = await post(url, '{"data":[]}', { "Content-Type": "application/json", "X-Tenant": "7" });
    expect(await answer.text()).toBe('{"a":1}');
    const [tap] = taps;
    expect(tap).toMatchObject({
      heads: [[200, "application/json", undefined]],
      answer: '{"a":1}',
      closed: 1,
    });
    expect(tap?.sent?.body).toBe('{"data":[]}');
    const lower = Object.fromEntries(tap!.sent!.fields.map(([name, value]) => [name.toLowerCase(), value]));
    expect(lower).toEqual({ ...server.seen[0]!.headers, connection: lower.connection });
  });

  it("sees an answer that comes in many parts, and a body that comes in chunks", async () => {
    const long = "x".repeat(300_000);
    const { url, taps } = await tapped((_, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" });
      response.write(long);
      response.end("end");
    });
    const { port } = new URL(url);
    const answer = await new Promise<string>((resolve, reject) => {
      const sending = request({ port, method: "POST", path: "/" }, (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (part) => {
          text += part;
        });
        response.on("end", () => resolve(text));
      });
      sending.on("error", reject);
      sending.write("first ");
      setImmediate(() => sending.end("second"));
    });
    expect(answer).toBe(`${long}end`);
    expect(taps[0]?.answer).toBe(answer);
    expect(taps[0]?.sent?.body).toBe("first second");
  });

  it("is told that a body was not kept whole", async () => {
    const retry = { attempts: 1, budget: 1, on: [], idempotent_paths: [], buffer: 1000, buffer_total: 1e6 };
    const { url, taps } = await tapped((_, response) => response.end("ok"), { config: { retry } });
    expect(await (await post(url, "x".repeat(1001))).text()).toBe("ok");
    expect(await (await post(url, "x".repeat(1000))).text()).toBe("ok");
    expect(taps.map(({ sent }) => sent?.body?.length)).toEqual([undefined, 1000]);
    expect(taps[0]?.sent).toBeDefined();
  });

  it("is told of the content's coding, and gets it as it came", async () => {
    const coded = gzipSync('{"a":1}');
    const { url, taps } = await tapped((_, response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": "gzip" });
      response.end(coded);
    });
    expect(await (await post(url, "{}")).json()).toEqual({ a: 1 });
    expect(taps[0]?.heads).toEqual([[200, "application/json", "gzip"]]);
    expect(Buffer.from(taps[0]!.answer, "latin1").equals(coded)).toBe(true);
  });

  it("sees only the answer that its client gets, and is on the first attempt only once", async () => {
    let count = 0;
    const retry = {
      attempts: 1,
      budget: 1,
      on: ["503" as const],
      idempotent_paths: ["/api/predict/"],
      buffer: 1000,
      buffer_total: 1e6,
    };
    const first: boolean[] = [];
    const { url, plane, taps } = await tapped(
      (_, response) => {
        response.statusCode = count++ === 0 ? 503 : 200;
        response.end("ok");
      },
      { config: { retry } },
    );
    const opened = plane.taps!;
    plane.taps = {
      open: (exchange, now) => {
        const tap = opened.open(exchange, now)!;
        const head = tap.head.bind(tap);
        tap.head = (...told) => {
          first.push(exchange.onFirstAttempt);
          head(...told);
        };
        return tap;
      },
    };
    expect((await post(url, "{}")).status).toBe(200);
    expect((await post(url, "{}")).status).toBe(200);
    expect(taps.map(({ heads }) => heads)).toEqual([
      [[200, undefined, undefined]],
      [[200, undefined, undefined]],
    ]);
    expect(first).toEqual([false, true]);
  });

  it("is closed without an end where the answer breaks off, or is the router's own", async () => {
    const { url, taps, serve } = await tapped((_, response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("half", () => response.destroy());
    });
    await expect(post(url, "{}").then((answer) => answer.text())).rejects.toThrow();
    serve({ blue: { weight: 1, targets: [] } });
    expect((await post(url, "{}")).status).toBe(503);
    expect(taps.map(({ sent, closed }) => [sent, closed])).toEqual([
      [undefined, 1],
      [undefined, 1],
    ]);
  });
});
