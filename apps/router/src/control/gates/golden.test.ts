import { describe, expect, it } from "vitest";
import { check, failed, GOLDEN, NEW, type Oddity, OLD, version } from "../../../test/support/gates.ts";

describe("the gate golden", () => {
  it("passes when all golden rows are right, rounded or not, at every target", async () => {
    const exact = ({ data }: { data: { n: number }[] }) => ({
      predictions: data.map(({ n }) => ({ fare_amount: GOLDEN[n - 1]!.fare_amount })),
    });
    const model = { ...NEW, golden: GOLDEN };
    const [one, two] = [await version({ model }), await version({ model, predict: exact })];
    expect(await check("golden", { green: [one.url, two.url] })).toEqual({
      ok: true,
      detail: "2 golden rows are right at 2 targets",
    });
    expect(one.asked).toEqual(["GET /model", "POST /api/predict/"]);
  });
  it("has nothing to compare where neither color offers rows, and fails where only the stable one does", async () => {
    const [without, stable] = [await version(), await version({ model: { ...OLD, golden: GOLDEN } })];
    expect(await check("golden", { green: [without.url], blue: [without.url] })).toMatchObject({
      ok: true,
      detail: "neither color offers golden rows at /model, so none are compared",
    });
    expect(await check("golden", { green: [without.url], blue: [stable.url] })).toEqual(
      failed(/offers no golden rows at \/model, and http.* does$/),
    );
  });
  it.each<[Oddity, RegExp]>([
    [
      { predict: () => ({ predictions: [{ fare_amount: 11.37 }, { fare_amount: 7 }] }) },
      /answers golden row 0 with 11\.37; the artifact says 11\.36 \(11\.3587\)$/,
    ],
    [
      { predict: () => ({ predictions: [{ fare_amount: 11.36 }, { fare_amount: null }] }) },
      /answers golden row 1 with undefined/,
    ],
    [
      { predict: () => ({ predictions: [] }) },
      /answers 1 predictions for 2 rows|answers 0 predictions for 2 rows/,
    ],
    [{ predict: () => "<html>" }, /answers what is not JSON: "<html>"$/],
    [
      { status: 422, predict: () => ({ detail: "Row 0 is bad." }) },
      /answers 422; expected 200 \(Row 0 is bad\)$/,
    ],
    [{ model: { golden: [] } }, /has golden rows of another form: golden\.: /],
    [{ model: { golden: [{ trip: {}, fare_amount: "x" }] } }, /golden\.0\.fare_amount: /],
    [{ raw: (response) => response.writeHead(503).end() }, /^GET http.*\/model answers 503$/],
    [
      { raw: (response) => response.writeHead(307, { Location: "http://elsewhere.invalid/" }).end() },
      /neither|has no target/,
    ],
    [{ raw: (response) => response.destroy() }, /has no answer \(.+\)$/],
    [
      {
        raw: (response) =>
          void response.writeHead(200, { "Content-Length": 9 }).write("{", () => response.destroy()),
      },
      /no answer|breaks off/,
    ],
    [
      { raw: (response) => void response.writeHead(200).end(Buffer.alloc(17 << 20, " ")) },
      /answers more than 16777216 bytes$/,
    ],
  ])("says what is wrong: %j", async (oddity, sentence) => {
    const { url } = await version({ model: { ...NEW, golden: GOLDEN }, ...oddity });
    expect((await check("golden", { green: [url], blue: [url] })).detail).toMatch(sentence);
  });
  it("fails where nobody listens, and when time is up", async () => {
    expect(await check("golden", { green: ["http://127.0.0.1:1"] })).toEqual(
      failed(/has no answer \(connection refused\)$/),
    );
    const { url } = await version({ raw: () => {} });
    expect(await check("golden", { green: [url], settings: { timeout: 50 } })).toEqual(
      failed(/^it has taken longer than 0\.05 s \(gates\.timeout\)$/),
    );
  });
  it("ends when the rollout does", async () => {
    const { url } = await version({ raw: () => {} });
    const abort = new AbortController();
    const checking = check("golden", { green: [url] }, abort.signal);
    abort.abort();
    await expect(checking).rejects.toThrow(/aborted/);
  });
});
