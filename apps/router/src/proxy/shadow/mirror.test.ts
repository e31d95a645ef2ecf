import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { memoryInUse } from "../../../test/support/memory.ts";
import { TEST_CONFIG, testRouter } from "../../../test/support/plane.ts";
import { type Answer, rawUpstream, upstream } from "../../../test/support/upstream.ts";
import type { Config, ShadowConfig } from "../../config/config.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { summarize } from "../../core/shadow/pairs.ts";

const PATH = "/api/predict/";
const SHADOW = { id: "s1", color: "green", against: "blue", percent: 100 };

describe.each(ENGINES)("a shadow at the engine $name", ({ create }) => {
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(thing: T): T => {
    open.push(thing);
    return thing;
  };
  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });

  const fares = (...values: unknown[]) =>
    JSON.stringify({ predictions: values.map((fare_amount) => ({ fare_amount })) });
  const fare = (value: unknown): Answer => {
    return (_, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(fares(value));
    };
  };

  /** Blue answers; green, at `shadow`, serves nobody. */
  const shadowed = async (
    shadow: string,
    options: {
      limits?: Partial<ShadowConfig>;
      config?: Partial<Config>;
      blue?: Answer;
      percent?: number;
      random?: () => number;
    } = {},
  ) => {
    const blue = keep(await upstream(options.blue ?? fare(10)));
    const colors = {
      blue: { weight: 1, targets: [blue.url] },
      green: { weight: 0, targets: shadow === "" ? [] : [shadow] },
    };
    const config = {
      predictions: { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] },
      shadow: { ...TEST_CONFIG.shadow, rate: 100_000, ...options.limits },
      retry: { ...TEST_CONFIG.retry, idempotent_paths: [PATH] },
      ...options.config,
    };
    const { percent = 100, random } = options;
    const snapshot = { shadow: { ...SHADOW, percent } };
    const router = keep(
      await testRouter(colors, { config, snapshot, ...(random ? { random } : {}) }, create),
    );
    const copies = () => router.plane.report().colors.green?.copies ?? {};
    const pairs = () => router.plane.report().shadow!.pairs;
    const post = (body = '{"data":[{"passenger_count":1}]}', headers: Record<string, string> = {}) =>
      fetch(`${router.url}${PATH}`, { method: "POST", body, headers });
    return { ...router, blue, colors, copies, pairs, post };
  };

  it("gets a copy of the request, marked and with the same id, after the client has its answer", async () => {
    const green = keep(await upstream(fare(10.4)));
    const { post, blue, copies, pairs } = await shadowed(green.url);
    const body = '{"data":[{"passenger_count":3}]}';
    const answer = await post(body, {
      "Content-Type": "application/json",
      "X-Tenant": "7",
      "X-Sluice-Shadow": "no",
    });
    expect(await answer.text()).toBe(fares(10));
    await eventually(() => expect(copies()).toEqual({ answered: 1 }));
    const [main, copy] = [blue.seen[0]!, green.seen[0]!];
    expect(copy.body.toString()).toBe(body);
    expect(copy.url).toBe(PATH);
    expect(copy.headers).toMatchObject({
      "x-request-id": answer.headers.get("x-request-id"),
      "x-sluice-shadow": "1",
      "x-tenant": "7",
      host: main.headers.host,
      "content-length": String(body.length),
      "x-forwarded-for": main.headers["x-forwarded-for"],
    });
    expect(main.headers["x-sluice-shadow"]).toBeUndefined();
    await eventually(() =>
      expect(summarize(pairs().all)).toMatchObject({ pairs: 1, agree: 1, largest: expect.closeTo(0.4) }),
    );
  });

  it("touches nothing of the main path: no place in flight, health, evidence or count", async () => {
    const green = keep(await upstream((_, response) => response.destroy()));
    const { post, copies, plane } = await shadowed(green.url);
    for (let i = 0; i < 10; i++) await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ reset: 10 }));
    expect(plane.report().colors.green).toMatchObject({
      assigned: 0,
      requests: {},
      attempts: {},
      upstreamErrors: {},
      targets: { [green.url]: { inFlight: 0, errors: 0, passes: 0 } },
    });
    expect(plane.colors[1]!.latency.p95(plane.now())).toBeUndefined();
  });

  it("gets no copy of what is not declared, was forced, or answered by another color", async () => {
    const green = keep(await upstream(fare(10)));
    const override = {
      header: "x-sluice-color",
      cookie: undefined,
      from: ["127.0.0.0/8"],
      secret: undefined,
    };
    const { post, url, plane, serve, colors } = await shadowed(green.url, { config: { override } });
    await (await fetch(`${url}/api/other`, { method: "POST", body: "{}" })).text();
    await (await fetch(`${url}${PATH}`)).text();
    await (await post("{}", { "X-Sluice-Color": "blue" })).text();
    serve({ ...colors, blue: { weight: 1, targets: [] } }, { shadow: SHADOW, standby: "green" });
    expect((await post()).headers.get("x-sluice-color")).toBe("green");
    serve({ ...colors, green: { weight: 1, targets: [green.url] } }, { shadow: SHADOW });
    for (let i = 0; i < 5; i++) await (await post()).text();
    expect(plane.observer.mirror.pending).toBe(0);
    expect(plane.report().colors.green?.copies).toBeUndefined();
    for (const { headers } of green.seen) expect(headers["x-sluice-shadow"]).toBeUndefined();
  });

  it("gets the share that is asked for", async () => {
    const green = keep(await upstream(fare(10)));
    let at = 0;
    const random = () => (at++ % 10) / 10;
    const { post, copies, blue } = await shadowed(green.url, { percent: 30, random });
    for (let i = 0; i < 50; i++) await (await post()).text();
    await eventually(() => expect(copies().answered).toBeGreaterThan(0));
    expect(blue.seen).toHaveLength(50);
    expect(green.seen.length).toBeLessThan(30);
  });

  it("is told from the main answers in pairs: slices, the worst, failures as disagreements", async () => {
    const answers: Record<string, Answer> = {
      r1: fare(10.6),
      r2: fare(14),
      r3: fare(null),
      r5: (_, response) => response.destroy(),
      r9: fare(10),
    };
    const green = keep(
      await upstream((...told) => answers[String(told[0].headers["x-request-id"])]!(...told)),
    );
    const slices = [{ field: parsePointer("/data/0/passenger_count"), buckets: [1, 4] }];
    const { post, pairs } = await shadowed(green.url, { limits: { slices, worst: 3, concurrency: 1 } });
    for (const passengers of [1, 2, 3, 5, 9]) {
      await (
        await post(JSON.stringify({ data: [{ passenger_count: passengers }] }), {
          "X-Request-Id": `r${passengers}`,
        })
      ).text();
    }
    await eventually(() => expect(pairs().all.pairs).toBe(5));
    expect(summarize(pairs().all)).toMatchObject({ agree: 2, disagree: 3, broken: 2, largest: 4 });
    const of = pairs().slices["/data/0/passenger_count"]!;
    expect(summarize(of["≤ 1"]!)).toMatchObject({ pairs: 1, agree: 1 });
    expect(summarize(of["≤ 4"]!)).toMatchObject({ pairs: 2, agree: 0 });
    expect(summarize(of["> 4"]!)).toMatchObject({ pairs: 2, agree: 1 });
    expect(
      pairs().worst.map(({ request_id, difference, outcome }) => [request_id, difference, outcome]),
    ).toEqual([
      ["r3", null, "null"],
      ["r5", null, "missing"],
      ["r2", 4, "answered"],
    ]);
    expect(pairs().worst[0]).not.toHaveProperty("body");
  });

  it("is broken where its content coding cannot be undone, for it was asked for none", async () => {
    const coded = (coding: string, bytes: Buffer): Answer => {
      return (_, response) => {
        response.writeHead(200, { "Content-Type": "application/json", "Content-Encoding": coding });
        response.end(bytes);
      };
    };
    const answers: Record<string, Answer> = {
      good: coded("gzip", gzipSync(fares(10))),
      unknown: coded("rot13", Buffer.from(fares(10))),
      bursting: coded("gzip", gzipSync(Buffer.alloc(4 << 20, " "))),
      torn: coded("gzip", gzipSync(fares(10)).subarray(0, 20)),
    };
    const green = keep(
      await upstream((...told) => answers[String(told[0].headers["x-request-id"])]!(...told)),
    );
    const { post, pairs } = await shadowed(green.url);
    for (const id of Object.keys(answers)) await (await post(undefined, { "X-Request-Id": id })).text();
    await eventually(() => expect(pairs().all.pairs).toBe(4));
    expect(summarize(pairs().all)).toMatchObject({ agree: 1, broken: 3 });
  });

  it("keeps the worst pairs' bodies only by choice", async () => {
    const green = keep(await upstream(fare(20)));
    const { post, pairs } = await shadowed(green.url, { limits: { bodies: true } });
    await (await post('{"data":[7]}')).text();
    await (await post(`{"data":"${"x".repeat(5000)}"}`)).text();
    await eventually(() =>
      expect(pairs().worst.map(({ body }) => body)).toEqual(['{"data":[7]}', undefined]),
    );
  });

  it("is remembered for delayed truth beside the answer that it is a copy of, not by the id alone", async () => {
    const green = keep(await upstream(fare(20)));
    const { post, plane, pairs } = await shadowed(green.url);
    plane.served.share = 1;
    await (await post(undefined, { "X-Request-Id": "trip-1" })).text();
    await eventually(() => expect(pairs().all.pairs).toBe(1));
    expect(plane.served.take()).toMatchObject([
      { id: "trip-1", color: "blue", predictions: [10] },
      { id: "trip-1", color: "green", predictions: [20], shadow: true, beside: 10 },
    ]);
  });

  it("is not compared where the main answer is bad or refuses", async () => {
    let at = 0;
    const blue: Answer = (...told) => {
      told[1].statusCode = at === 0 ? 422 : 200;
      fare(at++ === 0 ? 1 : null)(...told);
    };
    const green = keep(await upstream(fare(10)));
    const { post, pairs, copies } = await shadowed(green.url, { blue });
    expect((await post()).status).toBe(422);
    await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ answered: 2 }));
    expect(pairs().all.pairs).toBe(0);
  });

  it("begins anew with another id, and gives up what is under way", async () => {
    const held: (() => void)[] = [];
    const green = keep(await upstream((...told) => void held.push(() => fare(10)(...told))));
    const { post, pairs, copies, serve, colors, plane } = await shadowed(green.url, {
      limits: { concurrency: 1 },
    });
    for (let i = 0; i < 3; i++) await (await post()).text();
    await eventually(() => expect(held).toHaveLength(1));
    held[0]!();
    await eventually(() => expect(pairs().all.pairs).toBe(1));
    serve(colors, { shadow: { ...SHADOW, id: "s2" } });
    expect(plane.report().shadow).toMatchObject({ id: "s2", pairs: { all: { pairs: 0 } } });
    await eventually(() => expect(copies()).toEqual({ answered: 1, aborted: 2 }));
    serve(colors);
    expect(plane.report().shadow).toBeUndefined();
    expect(plane.observer.mirror.bytes).toBe(0);
  });

  describe("never slows, changes or fails the main answer", () => {
    const asked = 40;
    const long = '{"pad":"';
    const blueAnswer = (i: number) => `${fares(i)}${" ".repeat(1000)}`;
    const blue: Answer = (request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(blueAnswer(Number(request.headers["x-number"])));
    };
    /** Every client gets what blue said, byte by byte, while nothing of the shadow need ever end. */
    const allAnswered = async (post: Awaited<ReturnType<typeof shadowed>>["post"], body?: string) => {
      for (let i = 0; i < asked; i++) {
        const answer = await post(body, { "X-Number": String(i) });
        expect([answer.status, await answer.text()]).toEqual([200, blueAnswer(i)]);
      }
    };

    it("by one that never answers: its copies are bounded, in time and number", async () => {
      const silent = keep(await upstream(() => {}));
      const limits = { concurrency: 2, queue: 5, timeout: 50 };
      const { post, copies, plane } = await shadowed(silent.url, {
        blue,
        limits: { ...limits, timeout: 60_000 },
      });
      await allAnswered(post);
      await eventually(() => expect(silent.seen).toHaveLength(2));
      expect(copies()).toEqual({ queue: asked - 7 });
      plane.configure({ ...plane.config, shadow: { ...plane.config.shadow, ...limits } });
      const second = await shadowed(silent.url, { blue, limits });
      await (await second.post()).text();
      await eventually(() => expect(second.copies()).toEqual({ timeout: 1 }));
    });

    it("by one that is dead", async () => {
      const gone = await upstream();
      await gone.close();
      const { post, copies } = await shadowed(gone.url, { blue });
      await allAnswered(post);
      await eventually(() => expect(copies()).toEqual({ connect: asked }));
    });

    it("by one without a target that takes traffic", async () => {
      const { post, copies } = await shadowed("", { blue });
      await allAnswered(post);
      await eventually(() => expect(copies()).toEqual({ no_target: asked }));
    });

    it("by one that answers without end: it is cut off, and holds no memory", async () => {
      const flood = keep(
        await rawUpstream((socket) => {
          socket.once("data", () => {
            socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${long}`);
            const more = Buffer.alloc(64 * 1024, "x");
            const pour = () => {
              while (!socket.destroyed && socket.write(more));
            };
            socket.on("drain", pour);
            pour();
          });
        }),
      );
      const { post, copies, pairs } = await shadowed(flood.url, { blue, limits: { answer: 100_000 } });
      await allAnswered(post);
      await eventually(() => expect(copies()).toEqual({ too_large: asked }));
      await eventually(() => expect(flood.sockets.size).toBe(0));
      await eventually(() => expect(pairs().all).toMatchObject({ pairs: asked, broken: asked }));
    });

    it("by one whose answers trickle in pieces of a byte: it holds little more than what it counts", async () => {
      const pieces = 50_000;
      const hungry = keep(
        await rawUpstream((socket) => {
          socket.once("data", () => {
            socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            socket.write("1\r\nx\r\n".repeat(pieces)); // and never an end
          });
        }),
      );
      const { post, plane } = await shadowed(hungry.url, { blue, limits: { timeout: 600_000 } });
      const before = memoryInUse();
      await allAnswered(post);
      const { mirror } = plane.observer;
      await eventually(() => expect(mirror.received).toBe(8 * pieces));
      const now = memoryInUse();
      // kept piece by piece it was more than 100 MiB
      expect(now.heapUsed + now.external - before.heapUsed - before.external).toBeLessThan(24 << 20);
      await allAnswered(post);
    }, 120_000);

    it("by one that talks nonsense, forever interim answers, or a byte at a time", async () => {
      const scripts = [
        "nonsense\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000),
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx",
      ];
      let at = 0;
      const odd = keep(
        await rawUpstream((socket) => {
          const script = scripts[at++ % scripts.length]!;
          socket.once("data", () => socket.write(script));
        }),
      );
      const { post, copies } = await shadowed(odd.url, { blue, limits: { timeout: 200 } });
      await allAnswered(post);
      await eventually(() => {
        const { timeout = 0, reset = 0 } = copies();
        expect(timeout + reset).toBe(asked);
        expect(timeout).toBeGreaterThan(0);
        expect(reset).toBeGreaterThan(0);
      });
    });

    it("by one that makes bodies wait: their memory is bounded", async () => {
      const silent = keep(await upstream(() => {}));
      const body = "x".repeat(50_000);
      const { post, copies, plane } = await shadowed(silent.url, {
        blue,
        limits: { memory: 200_000, queue: 1000 },
      });
      await allAnswered(post, body);
      expect(copies()).toEqual({ memory: asked - 4 });
      expect(plane.observer.mirror.bytes).toBe(200_000);
      expect(plane.buffered).toBe(0);
    });

    it("by bodies that were not kept whole, or more copies than allowed each second", async () => {
      const green = keep(await upstream(fare(1)));
      const retry = { ...TEST_CONFIG.retry, idempotent_paths: [PATH], buffer: 1000 };
      const { post, copies } = await shadowed(green.url, { blue, config: { retry } });
      await allAnswered(post, "x".repeat(1001));
      await eventually(() => expect(copies()).toEqual({ no_body: asked }));
      const slow = await shadowed(green.url, { blue, limits: { rate: 4 } });
      await allAnswered(slow.post);
      await eventually(() => expect(slow.copies().rate).toBeGreaterThan(0));
    });

    it("when the client goes away in the middle: there is nothing to copy then", async () => {
      const green = keep(await upstream(fare(1)));
      const seen: (() => void)[] = [];
      const {
        port,
        blue: main,
        plane,
        copies,
      } = await shadowed(green.url, {
        blue: (_, response) => {
          response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
          response.write("{", () => seen.push(() => response.end("}".repeat(99))));
        },
      });
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`);
      await eventually(() => expect(seen).toHaveLength(1));
      socket.resetAndDestroy();
      await eventually(() => expect(plane.connections).toBe(0));
      seen[0]!();
      await eventually(() => expect(plane.report().colors.blue?.inFlight).toBe(0));
      expect(main.seen).toHaveLength(1);
      expect(copies()).toEqual({});
      expect(green.seen).toEqual([]);
    });
  });

  it("leaves nothing behind on a connection that is used again", async () => {
    const sockets = new Set<unknown>();
    const green = keep(
      await upstream((request, response, body) => {
        sockets.add(request.socket);
        fare(10)(request, response, body);
      }),
    );
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    const { post, copies } = await shadowed(green.url, { limits: { concurrency: 1 } });
    for (let i = 0; i < 30; i++) await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ answered: 30 }));
    await new Promise((resolve) => setImmediate(resolve)); // warnings come a tick later
    process.off("warning", warned);
    expect(sockets.size).toBe(1);
    expect(warnings).toEqual([]);
  });

  it("reaches a target that closed a kept connection by a new one", async () => {
    let count = 0;
    const green = keep(
      await upstream((request, response) => {
        if (count++ === 1 && request.headers["x-sluice-shadow"]) response.destroy();
        else fare(10)(request, response, Buffer.alloc(0));
      }),
    );
    const { post, copies } = await shadowed(green.url);
    await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ answered: 1 }));
    await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ answered: 2 }));
    expect(green.seen).toHaveLength(3);
  });

  it("gets copies of requests without predictions, too, which are then not compared", async () => {
    const green = keep(await upstream());
    const { post, copies, pairs } = await shadowed(green.url, { config: { predictions: undefined } });
    await (await post()).text();
    await eventually(() => expect(copies()).toEqual({ answered: 1 }));
    expect(pairs().all.pairs).toBe(0);
  });
});
