import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { closing } from "../../../test/support/open.ts";
import { type Colors, type PlaneOptions, TEST_CONFIG, testRouter } from "../../../test/support/plane.ts";
import { untilPasses } from "../../../test/support/until-passes.ts";
import { type Answer, upstream } from "../../../test/support/upstream.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { quantileOf } from "../../core/predictions/sketch.ts";
import { measureOf } from "../../core/shadow/measure.ts";
import { MOST_ANSWER } from "./answer-tap.ts";

const PATH = "/api/predict/";
const PREDICTIONS = {
  pointer: parsePointer("/predictions/*/fare_amount"),
  range: [0, 500] as const,
  paths: [],
};
const CONFIG = {
  predictions: PREDICTIONS,
  retry: { ...TEST_CONFIG.retry, idempotent_paths: [PATH, "/v2/models/*/infer"] },
};

describe.each(ENGINES)("answers at the engine $name", ({ create }) => {
  const keep = closing();

  const routing = async (colors: Colors, options: PlaneOptions = {}) =>
    keep(await testRouter(colors, { ...options, config: { ...CONFIG, ...options.config } }, create));
  const answering = async (answer: Answer, options: PlaneOptions = {}) => {
    const server = keep(await upstream(answer));
    return routing({ blue: { weight: 1, targets: [server.url] } }, options);
  };
  const post = async (url: string, path = PATH) => {
    const answer = await fetch(`${url}${path}`, { method: "POST", body: '{"data":[]}' });
    return answer.text();
  };
  const json = (text: string | Buffer, more: Record<string, string> = {}): Answer => {
    return (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json", ...more });
      response.end(text);
    };
  };

  it("are read after the client has them, and counted by what is wrong with them", async () => {
    const texts = [
      '{"predictions":[{"fare_amount":11.5},{"fare_amount":12.5}]}',
      '{"predictions":[{"fare_amount":null}]}',
      '{"predictions":[{"fare_amount":900}]}',
      '{"predictions":[{}]}',
      '{"predictions":[{"fare_amount":"12"}]}',
      "oops",
    ];
    let at = 0;
    const { url, plane } = await answering((...told) => json(texts[at++]!)(...told));
    for (const text of texts) expect(await post(url)).toBe(text);
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.read).toBe(6));
    const { faults, skipped, predictions } = plane.report().colors.blue!.answers!;
    expect(faults).toEqual({ null: 1, out_of_range: 1, missing: 1, not_number: 1, not_json: 1 });
    expect(skipped).toEqual({});
    expect(quantileOf(predictions, 0.5)).toBeCloseTo(12, 0);
    expect(plane.observer.held).toBe(0);
  });

  it("with another content type are no answers", async () => {
    const { url, plane } = await answering((_, response) =>
      response.end('{"predictions":[{"fare_amount":1}]}'),
    );
    await post(url);
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.faults).toEqual({ not_json: 1 }));
  });

  it.each([
    "application/json;charset=utf-8",
    'Application/JSON ; charset="iso-8859-1"',
    "application/vnd.fares.v2+json; profile=x",
  ])("with the content type %s are JSON, with or without a byte order mark", async (type) => {
    const { url, plane } = await answering(
      json('\ufeff{"predictions":[{"fare_amount":7}]}', { "Content-Type": type }),
    );
    await post(url);
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.read).toBe(1));
    expect(plane.report().colors.blue?.answers).toMatchObject({ faults: {}, predictions: { sum: 7 } });
  });

  it("that come in many pieces are read whole, up to the longest that is read", async () => {
    const rest = MOST_ANSWER - '{"predictions":[{"fare_amount":7}]}'.length;
    const texts = [rest, rest + 1].map(
      (spaces) => `{"predictions":[{"fare_amount":7}]}${" ".repeat(spaces)}`,
    );
    const { url, plane } = await answering((request, response) => {
      const text = texts[Number(request.headers["x-number"])]!;
      response.setHeader("Content-Type", "application/json");
      for (const byte of text.slice(0, 500)) response.write(byte);
      response.end(text.slice(500));
    });
    for (const [i, text] of texts.entries()) {
      const headers = { "X-Number": String(i) };
      const answer = await fetch(`${url}${PATH}`, { method: "POST", body: "{}", headers });
      expect(await answer.text()).toBe(text);
    }
    await untilPasses(() => {
      const { read, skipped } = plane.report().colors.blue!.answers!;
      expect([read, skipped]).toEqual([1, { too_large: 1 }]);
    });
    expect(plane.report().colors.blue?.answers).toMatchObject({ faults: {}, predictions: { sum: 7 } });
    expect(plane.observer.held).toBe(0);
  });

  it("with another status, on another path, or to another method are not looked at", async () => {
    let status = 422;
    const { url, plane } = await answering((...told) => {
      told[1].statusCode = status;
      told[1].setHeader("Content-Type", "application/json");
      told[1].end("{}");
    });
    await post(url);
    status = 200;
    await post(url, "/api/other");
    await (await fetch(`${url}${PATH}`)).text();
    await post(url);
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.read).toBe(1));
  });

  it("of the Open Inference Protocol are known", async () => {
    const outputs = [{ name: "fare_amount", datatype: "FP64", shape: [2], data: [10, 20] }];
    const { url, plane } = await answering(json(JSON.stringify({ outputs })));
    await post(url, "/v2/models/taxi-fare/infer");
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.read).toBe(1));
    expect(plane.report().colors.blue?.answers).toMatchObject({ faults: {}, predictions: { sum: 15 } });
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ])("in the coding %s are read, too", async (coding, encode) => {
    const coded = encode('{"predictions":[{"fare_amount":7}]}');
    const { url, plane } = await answering(json(coded, { "Content-Encoding": coding }));
    await post(url);
    await untilPasses(() => expect(plane.report().colors.blue?.answers?.read).toBe(1));
    expect(plane.report().colors.blue?.answers).toMatchObject({ faults: {}, predictions: { sum: 7 } });
  });

  it("that cannot be read are left out, with the reason: unknown or bursting codings, and long ones", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, "1"));
    const answers = [
      json("x", { "Content-Encoding": "rot13" }),
      json(bomb, { "Content-Encoding": "gzip" }),
      json(`{"a":"${"x".repeat(MOST_ANSWER)}"}`),
    ];
    let at = 0;
    const { url, plane } = await answering((...told) => answers[at++]!(...told));
    for (const _ of answers)
      await (await fetch(`${url}${PATH}`, { method: "POST" })).arrayBuffer().catch(() => {});
    await untilPasses(() =>
      expect(plane.report().colors.blue?.answers?.skipped).toEqual({ coding: 2, too_large: 1 }),
    );
    expect(plane.report().colors.blue?.answers?.read).toBe(0);
    expect(plane.observer.held).toBe(0);
  });

  it("are bad where their content coding is broken: the client cannot undo it either", async () => {
    const whole = gzipSync('{"predictions":[{"fare_amount":7}]}');
    const answers = [whole, whole.subarray(0, 20), Buffer.from("not gzip")];
    let at = 0;
    const { url, plane } = await answering((...told) =>
      json(answers[at++]!, { "Content-Encoding": "gzip" })(...told),
    );
    for (const _ of answers)
      await (await fetch(`${url}${PATH}`, { method: "POST" })).arrayBuffer().catch(() => {});
    await untilPasses(() =>
      expect(plane.report().colors.blue?.answers).toMatchObject({
        read: 3,
        faults: { not_json: 2 },
        skipped: {},
      }),
    );
  });

  it("are only read as fast as is allowed, and what is left out is counted", async () => {
    const { url, plane } = await answering(json('{"predictions":[{"fare_amount":7}]}'), { now: () => 0 });
    for (let round = 0; round < 15; round++) await Promise.all(Array.from({ length: 20 }, () => post(url)));
    await untilPasses(() => {
      const { read, skipped } = plane.report().colors.blue!.answers!;
      expect(read + skipped.busy!).toBe(300);
    });
    expect(plane.report().colors.blue?.answers?.read).toBeLessThan(300);
    expect(plane.report().colors.blue?.answers?.read).toBeGreaterThanOrEqual(128);
  });

  it("cost nothing where nobody wants to read them", async () => {
    const { plane } = await answering(json("{}"), { config: { predictions: undefined } });
    expect(plane.taps).toBeUndefined();
    plane.configure({ ...plane.config, predictions: PREDICTIONS });
    expect(plane.taps).toBe(plane.observer);
    plane.configure({ ...plane.config, predictions: undefined });
    expect(plane.taps).toBeUndefined();
  });

  describe("during a rollout", () => {
    const rollout = {
      id: "r1",
      candidate: "green",
      stable: "blue",
      tallies: [
        { name: "answers", kind: "answers" },
        { name: "high:12", kind: "shift", parameters: { above: 12 } },
        { name: "low:8", kind: "shift", parameters: { below: 8 } },
      ],
    };
    const fare = (value: unknown) => json(JSON.stringify({ predictions: [{ fare_amount: value }] }));
    const served = async (blue: Answer, green: Answer, options: PlaneOptions = {}) => {
      const [one, two] = [keep(await upstream(blue)), keep(await upstream(green))];
      const colors = {
        blue: { weight: 1, targets: [one.url] },
        green: { weight: 1, targets: [two.url] },
      };
      let turn = 0;
      const random = () => (turn++ % 2 === 0 ? 0.25 : 0.75);
      return routing(colors, { random, snapshot: { rollout }, ...options });
    };
    const tallies = (plane: Awaited<ReturnType<typeof served>>["plane"]) => plane.report().runs?.[0]?.tallies;

    it("are charged once for each request: bad, high and low", async () => {
      const { url, plane } = await served(fare(10), fare(null));
      for (let i = 0; i < 20; i++) await post(url);
      await untilPasses(() => {
        const { candidate, stable } = tallies(plane)!.answers!.strata[0]!;
        expect(candidate.requests + stable.requests).toBe(20);
      });
      const { candidate, stable, rho } = tallies(plane)!.answers!.strata[0]!;
      expect(rho).toBe(0.5);
      expect(candidate.requests).toBeGreaterThan(0);
      expect(candidate.bad).toBe(candidate.requests);
      expect(stable.bad).toBe(0);
      expect(tallies(plane)!["high:12"]!.strata[0]!.candidate.requests).toBe(0);
      expect(tallies(plane)!["high:12"]!.strata[0]!.stable).toEqual({ requests: stable.requests, bad: 0 });
    });

    it("are no evidence where only a shadow's copies have them read: those are of one color alone", async () => {
      const red = keep(await upstream(fare(10)));
      const [one, two] = [keep(await upstream(fare(10))), keep(await upstream(fare(10)))];
      const colors = {
        blue: { weight: 1, targets: [one.url] },
        green: { weight: 1, targets: [two.url] },
        red: { weight: 0, targets: [red.url] },
      };
      const measure = measureOf(PREDICTIONS, TEST_CONFIG.shadow);
      const shadow = { id: "s1", color: "red", against: "green", percent: 100, measure };
      const config = { shadow: { ...TEST_CONFIG.shadow, rate: 100_000 } };
      const { url, plane } = await routing(colors, { snapshot: { rollout, shadow }, now: () => 0, config });
      for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 20 }, () => post(url)));
      await untilPasses(() => {
        const { blue, green } = plane.report().colors;
        expect(blue!.answers!.read + blue!.answers!.skipped.busy! + green!.answers!.read).toBe(400);
      });
      const { candidate, stable } = tallies(plane)!.answers!.strata[0]!;
      expect(candidate.requests).toBeGreaterThan(0);
      expect(candidate.requests + stable.requests).toBeLessThan(250);
    });

    it("are charged by where the mean of their predictions lies", async () => {
      const rows = (...fares: number[]) =>
        json(JSON.stringify({ predictions: fares.map((fare_amount) => ({ fare_amount })) }));
      const { url, plane } = await served(rows(2, 4), rows(11, 30));
      for (let i = 0; i < 20; i++) await post(url);
      await untilPasses(() => {
        const { candidate, stable } = tallies(plane)!["high:12"]!.strata[0]!;
        expect(candidate.requests + stable.requests).toBe(20);
      });
      const [high, low] = [tallies(plane)!["high:12"]!.strata[0]!, tallies(plane)!["low:8"]!.strata[0]!];
      expect(high.candidate.bad).toBe(high.candidate.requests);
      expect(high.stable.bad).toBe(0);
      expect(low.stable.bad).toBe(low.stable.requests);
      expect(low.candidate.bad).toBe(0);
    });

    it("of a second attempt, of a failover and of forced requests are read, but are no evidence", async () => {
      const override = {
        header: "x-sluice-color",
        cookie: undefined,
        from: ["127.0.0.0/8"],
        secret: undefined,
      };
      const failing: Answer = (_, response) => {
        response.statusCode = 503;
        response.end();
      };
      const retry = { ...CONFIG.retry, attempts: 1, budget: 1, on: ["503" as const] };
      const { url, plane } = await served(fare(null), failing, { config: { retry, override } });
      const greens = async () => {
        for (let i = 0; i < 10; i++) await post(url);
      };
      await greens();
      await fetch(`${url}${PATH}`, { method: "POST", headers: { "X-Sluice-Color": "blue" } });
      const { assigned } = plane.report().colors.blue!;
      await untilPasses(() =>
        expect(plane.report().colors.blue?.answers?.read).toBe(
          plane.report().colors.blue?.requests["POST 200"],
        ),
      );
      expect(plane.report().colors.blue!.requests["POST 200"]).toBeGreaterThan(assigned);
      const { candidate, stable } = tallies(plane)!.answers!.strata[0]!;
      expect(candidate.requests).toBe(0);
      expect(stable.requests).toBe(assigned);
    });
  });
});
