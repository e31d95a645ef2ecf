import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { check, failed, GOLDEN, NEW, right, version } from "../../../test/support/gates.ts";

describe("the gate warm_up", () => {
  const model = { ...NEW, golden: GOLDEN };
  it("asks every target for so many predictions", async () => {
    const [one, two] = [await version({ model }), await version({ model })];
    expect(await check("warm_up", { green: [one.url, two.url], settings: { requests: 30 } })).toEqual({
      ok: true,
      detail: `${one.url} answered 30 of 30 predictions; ${two.url} answered 30 of 30 predictions`,
    });
    expect(one.asked.filter((each) => each.startsWith("POST"))).toHaveLength(30);
  });
  it("goes on until the last ones were quick", async () => {
    let answers = 0;
    const slow = await version({
      model,
      predict: (body) => {
        const until = performance.now() + (answers++ < 10 ? 60 : 0);
        while (performance.now() < until); // the first ones keep the processor busy
        return right(body);
      },
    });
    const settings = { requests: 5, p95: 50 };
    expect(await check("warm_up", { green: [slow.url], settings })).toMatchObject({ ok: true });
    expect(answers).toBeGreaterThanOrEqual(20);
  });
  it("fails at what stays slow, and at what is plainly broken", async () => {
    const { url } = await version({ model });
    const settings = { requests: 20, p95: 1e-6, timeout: 1500 };
    expect(await check("warm_up", { green: [url], settings })).toEqual(
      failed(/does not get warm: after \d+ predictions|it has taken longer than 1\.5 s/),
    );
    const refusing = await version({ model, status: 503, predict: () => ({}) });
    expect(await check("warm_up", { green: [refusing.url] })).toEqual(
      failed(/failed 5 of 5 predictions, 5 in a row: POST http.* answers 503; expected 200$/),
    );
  });
  it("leaves rates to the guards: only more than a tenth fails", async () => {
    const failing = async (every: number) => {
      let answers = 0;
      const raw = (response: ServerResponse, url: string) => {
        if (url === "/model") response.end(JSON.stringify(model));
        else if (answers++ % every === 0) response.writeHead(500).end();
        else response.end("{}");
      };
      return (await version({ raw })).url;
    };
    expect(await check("warm_up", { green: [await failing(10)] })).toEqual({
      ok: true,
      detail: expect.stringMatching(/answered 45 of 50 predictions$/),
    });
    expect(await check("warm_up", { green: [await failing(9)] })).toEqual(
      failed(/failed 6 of 50 predictions; expected at most 10 %$/),
    );
  });
});
