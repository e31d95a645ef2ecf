import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { memoryInUse } from "../../../test/support/memory.ts";
import { TEST_CONFIG } from "../../../test/support/plane.ts";
import { fare, fares, keep, PATH, shadowedBy } from "../../../test/support/shadowed.ts";
import { untilPasses } from "../../../test/support/until-passes.ts";
import { type Answer, rawUpstream, upstream } from "../../../test/support/upstream.ts";

describe.each(ENGINES)("a shadow at the engine $name", ({ create }) => {
  const shadowed = shadowedBy(create);

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
      await untilPasses(() => expect(silent.seen).toHaveLength(2));
      expect(copies()).toEqual({ queue: asked - 7 });
      plane.configure({ ...plane.config, shadow: { ...plane.config.shadow, ...limits } });
      const second = await shadowed(silent.url, { blue, limits });
      await (await second.post()).text();
      await untilPasses(() => expect(second.copies()).toEqual({ timeout: 1 }));
    });

    it("by one that is dead", async () => {
      const gone = await upstream();
      await gone.close();
      const { post, copies } = await shadowed(gone.url, { blue });
      await allAnswered(post);
      await untilPasses(() => expect(copies()).toEqual({ connect: asked }));
    });

    it("by one without a target that takes traffic", async () => {
      const { post, copies } = await shadowed("", { blue });
      await allAnswered(post);
      await untilPasses(() => expect(copies()).toEqual({ no_target: asked }));
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
      await untilPasses(() => expect(copies()).toEqual({ too_large: asked }));
      await untilPasses(() => expect(flood.sockets.size).toBe(0));
      await untilPasses(() => expect(pairs().all).toMatchObject({ pairs: asked, broken: asked }));
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
      await untilPasses(() => expect(mirror.received).toBe(8 * pieces));
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
      await untilPasses(() => {
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
      await untilPasses(() => expect(copies()).toEqual({ no_body: asked }));
      const slow = await shadowed(green.url, { blue, limits: { rate: 4 } });
      await allAnswered(slow.post);
      await untilPasses(() => expect(slow.copies().rate).toBeGreaterThan(0));
    });

    it("by one whose answers take long to read: no more than four mebibytes a second are", async () => {
      const dense = JSON.stringify({ predictions: Array.from({ length: 100_000 }, () => 0) });
      const green = keep(
        await upstream((_, response) => {
          response.setHeader("Content-Type", "application/json");
          response.end(dense);
        }),
      );
      let time = 0;
      const limits = { rate: 100, concurrency: 1 };
      const { post, copies, pairs } = await shadowed(green.url, { blue, limits, now: () => time });
      const one = async () => (await post(undefined, { "X-Number": "1" })).text();
      const both = Math.ceil((1024 * 1024) / (8192 + dense.length)); // a quarter of a second's may be read at once
      for (let i = 1; i <= both; i++) {
        await one();
        await untilPasses(() => expect(pairs().all).toMatchObject({ pairs: i, broken: i }));
      }
      await one();
      expect(copies()).toEqual({ answered: both, busy: 1 });
      time += 1000;
      await one();
      await untilPasses(() => expect(copies()).toEqual({ answered: both + 1, busy: 1 }));
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
      await untilPasses(() => expect(seen).toHaveLength(1));
      socket.resetAndDestroy();
      await untilPasses(() => expect(plane.connections).toBe(0));
      seen[0]!();
      await untilPasses(() => expect(plane.report().colors.blue?.inFlight).toBe(0));
      expect(main.seen).toHaveLength(1);
      expect(copies()).toEqual({});
      expect(green.seen).toEqual([]);
    });
  });
});
