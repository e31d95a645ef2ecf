import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { TEST_CONFIG } from "../../../test/support/plane.ts";
import { fare, fares, keep, PATH, shadowedBy } from "../../../test/support/shadowed.ts";
import { untilPasses } from "../../../test/support/until-passes.ts";
import { type Answer, upstream } from "../../../test/support/upstream.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { summarize } from "../../core/shadow/pairs.ts";

describe.each(ENGINES)("a shadow at the engine $name", ({ create }) => {
  const shadowed = shadowedBy(create);

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
    await untilPasses(() => expect(pairs().all.pairs).toBe(5));
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
      builtin: coded("constructor", Buffer.from(fares(10))),
      bursting: coded("gzip", gzipSync(Buffer.alloc(4 << 20, " "))),
      large: coded("gzip", gzipSync(fares(10) + " ".repeat(TEST_CONFIG.shadow.answer))),
      torn: coded("gzip", gzipSync(fares(10)).subarray(0, 20)),
    };
    const green = keep(
      await upstream((...told) => answers[String(told[0].headers["x-request-id"])]!(...told)),
    );
    const { post, pairs } = await shadowed(green.url);
    for (const id of Object.keys(answers)) await (await post(undefined, { "X-Request-Id": id })).text();
    await untilPasses(() => expect(pairs().all.pairs).toBe(6));
    expect(summarize(pairs().all)).toMatchObject({ agree: 1, broken: 5 });
  });

  it.each([true, false])("keeps the worst pairs' bodies and queries only by choice: %s", async (bodies) => {
    const green = keep(await upstream(fare(20)));
    const { url, pairs } = await shadowed(green.url, { limits: { bodies } });
    const post = async (query: string, body: string) =>
      (await fetch(`${url}${PATH}${query}`, { method: "POST", body })).text();
    await post("?user=7&at=home?", '{"data":[7]}');
    await post("", `{"data":"${"x".repeat(5000)}"}`);
    await untilPasses(() =>
      expect(pairs().worst.map(({ path, body }) => [path, body])).toEqual([
        bodies ? [`${PATH}?user=7&at=home?`, '{"data":[7]}'] : [PATH, undefined],
        [PATH, undefined],
      ]),
    );
  });

  it("is remembered for delayed truth beside the answer that it is a copy of, not by the id alone", async () => {
    const green = keep(await upstream(fare(20)));
    const { post, plane, pairs } = await shadowed(green.url);
    plane.served.share = 1;
    await (await post(undefined, { "X-Request-Id": "trip-1" })).text();
    await untilPasses(() => expect(pairs().all.pairs).toBe(1));
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
    await untilPasses(() => expect(copies()).toEqual({ answered: 2 }));
    expect(pairs().all.pairs).toBe(0);
  });

  it("gets copies of requests without predictions, too, which are then not compared", async () => {
    const green = keep(await upstream());
    const { post, copies, pairs } = await shadowed(green.url, { config: { predictions: undefined } });
    await (await post()).text();
    await untilPasses(() => expect(copies()).toEqual({ answered: 1 }));
    expect(pairs().all.pairs).toBe(0);
  });
});
