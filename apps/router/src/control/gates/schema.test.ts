import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check, failed, GOLDEN, NEW, right, version } from "../../../test/support/gates.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

describe("the gate schema", () => {
  const model = { ...NEW, golden: GOLDEN };
  it("passes when answers have at least the shape of the stable color's", async () => {
    const more = (body: { data: { n: number }[] }) => ({ ...right(body), trace: "x", extra: { a: 1 } });
    const [green, blue] = [await version({ model, predict: more }), await version()];
    expect(await check("schema", { green: [green.url], blue: [blue.url] })).toEqual({
      ok: true,
      detail: "answers have the shape of blue's at 1 target",
    });
    expect(blue.asked).toEqual(["POST /api/predict/", "POST /api/predict/"]);
  });
  it.each<[unknown, RegExp]>([
    [
      { predictions: [{ fare: 1 }], color: "x" },
      /in another shape: \/predictions\/\*\/fare_amount is missing$/,
    ],
    [
      { predictions: [{ fare_amount: null }], color: "x" },
      /\/predictions\/\*\/fare_amount is null; expected a number$/,
    ],
    [{ predictions: [{ fare_amount: "1" }], color: "x" }, /fare_amount is a string; expected a number$/],
    [{ predictions: [], color: "x" }, /\/predictions is an empty list$/],
    [{ predictions: [{ fare_amount: 1 }] }, /\/color is missing$/],
    [[1], /the whole is a list; expected an object$/],
  ])("fails for %j", async (answer, sentence) => {
    const [green, blue] = [await version({ model, predict: () => answer }), await version()];
    expect(await check("schema", { green: [green.url], blue: [blue.url] })).toEqual(failed(sentence));
  });
  it("goes by a JSON Schema and a request of files, where they are configured", async () => {
    const folder = temporaryFolder();
    const path = (name: string, value: unknown) => {
      writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
      return join(folder, name);
    };
    const number = { type: "number", minimum: 2.5 };
    const properties = {
      predictions: { type: "array", items: { type: "object", properties: { fare_amount: number } } },
    };
    const schema = path("schema.json", { type: "object", required: ["predictions"], properties });
    const request = path("request.json", { data: [{ n: 2 }] });
    const good = await version();
    expect(await check("schema", { green: [good.url], settings: { schema, request } })).toEqual({
      ok: true,
      detail: `answers fulfill ${schema} at 1 target`,
    });
    const bad = await version({ predict: () => ({ predictions: [{ fare_amount: 1 }] }) });
    expect(await check("schema", { green: [bad.url], settings: { schema, request } })).toEqual(
      failed(/in another shape: \/predictions\/0\/fare_amount: Too small/),
    );
    for (const [settings, sentence] of [
      [
        { schema: join(folder, "none.json"), request },
        /^gates\.schema: .*none\.json cannot be read \(ENOENT\)$/,
      ],
      [{ schema: path("a.json", "{"), request }, /^gates\.schema: .*a\.json is not JSON$/],
      [
        { schema: path("b.json", { $ref: "http://x/" }), request },
        /^gates\.schema: .*b\.json is no JSON Schema \(/,
      ],
      [{ request: path("c.json", "x") }, /^gates\.request: .*c\.json is not JSON$/],
    ] as const) {
      expect(await check("schema", { green: [good.url], blue: [good.url], settings })).toEqual(
        failed(sentence),
      );
    }
  });
  it("says that it had nothing to ask with", async () => {
    const { url } = await version();
    expect(await check("schema", { green: [url], blue: [url] })).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/nothing to ask with/),
    });
  });
});
