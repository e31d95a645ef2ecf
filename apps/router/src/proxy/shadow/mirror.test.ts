import { describe, expect, it } from "vitest";
import { ENGINES } from "../../../test/conformance/engines.ts";
import { fare, fares, keep, PATH, SHADOW, shadowedBy } from "../../../test/support/shadowed.ts";
import { untilPasses } from "../../../test/support/until-passes.ts";
import { type Answer, upstream } from "../../../test/support/upstream.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { measureOf } from "../../core/shadow/measure.ts";
import { summarize } from "../../core/shadow/pairs.ts";

describe.each(ENGINES)("a shadow at the engine $name", ({ create }) => {
  const shadowed = shadowedBy(create);

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
    await untilPasses(() => expect(copies()).toEqual({ answered: 1 }));
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
    await untilPasses(() =>
      expect(summarize(pairs().all)).toMatchObject({ pairs: 1, agree: 1, largest: expect.closeTo(0.4) }),
    );
  });

  it("touches nothing of the main path: no place in flight, health, evidence or count", async () => {
    const green = keep(await upstream((_, response) => response.destroy()));
    const { post, copies, plane } = await shadowed(green.url);
    for (let i = 0; i < 10; i++) await (await post()).text();
    await untilPasses(() => expect(copies()).toEqual({ reset: 10 }));
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
    await untilPasses(() => expect(copies().answered).toBeGreaterThan(0));
    expect(blue.seen).toHaveLength(50);
    expect(green.seen.length).toBeLessThan(30);
  });

  it("begins anew with another id, and gives up what is under way", async () => {
    const held: (() => void)[] = [];
    const green = keep(await upstream((...told) => void held.push(() => fare(10)(...told))));
    const { post, pairs, copies, serve, colors, plane } = await shadowed(green.url, {
      limits: { concurrency: 1 },
    });
    for (let i = 0; i < 3; i++) await (await post()).text();
    await untilPasses(() => expect(held).toHaveLength(1));
    held[0]!();
    await untilPasses(() => expect(pairs().all.pairs).toBe(1));
    serve(colors, { shadow: { ...SHADOW, id: "s2" } });
    expect(plane.report().shadow).toMatchObject({ id: "s2", pairs: { all: { pairs: 0 } } });
    await untilPasses(() => expect(copies()).toEqual({ answered: 1, aborted: 2 }));
    serve(colors);
    expect(plane.report().shadow).toBeUndefined();
    expect(plane.observer.mirror.bytes).toBe(0);
  });

  it("makes no pair where one answer is read as before a change of the configuration, and the other as after it", async () => {
    const other = { pointer: parsePointer("/other"), range: undefined, paths: [] };
    const both: Answer = (_, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end('{"predictions":[{"fare_amount":1}],"other":2}');
    };
    const held: (() => void)[] = [];
    const green = keep(await upstream((...told) => void held.push(() => both(...told))));
    const { post, pairs, copies, serve, colors, plane } = await shadowed(green.url, { blue: both });
    const { config } = plane;
    const shadow = { ...SHADOW, id: "s2", measure: measureOf(other, config.shadow) };
    const asked = async (count: number) => {
      await (await post()).text();
      await untilPasses(() => expect(held).toHaveLength(count));
    };
    serve(colors, { shadow }); // the control plane is ahead of this process
    await asked(1);
    plane.configure({ ...config, predictions: other });
    held[0]!();
    await untilPasses(() => expect(copies()).toEqual({ answered: 1 }));
    await asked(2);
    held[1]!();
    await untilPasses(() => expect(pairs().all).toMatchObject({ pairs: 1, disagree: 0 }));
    await asked(3);
    plane.configure(config);
    held[2]!();
    await untilPasses(() => expect(copies()).toEqual({ answered: 3 }));
    expect(pairs().all.pairs).toBe(1);
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
    await untilPasses(() => expect(copies()).toEqual({ answered: 30 }));
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
    await untilPasses(() => expect(copies()).toEqual({ answered: 1 }));
    await (await post()).text();
    await untilPasses(() => expect(copies()).toEqual({ answered: 2 }));
    expect(green.seen).toHaveLength(3);
  });
});
