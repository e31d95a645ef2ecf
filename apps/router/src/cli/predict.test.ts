import { describe, expect, test } from "vitest";
import { admin, problem } from "../../test/support/fake-admin.ts";
import { expectRefusal, sluiceHere } from "../../test/support/sluice-command.ts";

describe("sluice predict", () => {
  test("predict says what was predicted and by which color, and tallies many", async () => {
    const { url, seen } = await admin({
      "POST /api/predict/": {
        headers: { "X-Sluice-Color": "blue" },
        body: {
          predictions: [{ fare_amount: 41.5 }],
          model: { name: "fare", version: "1.0.0" },
          color: "blue",
        },
      },
    });
    const { code, stdout } = await sluiceHere(["predict", "-n", "3", "--url", url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\$41\.50 says blue 1\.0\.0, in [\d.]+ ms\nblue 3\n$/);
    expect(seen[0]?.body).toMatchObject({ data: [{ passenger_count: 2 }] });
    const answer = JSON.parse((await sluiceHere(["predict", "--json"], { SLUICE_URL: url })).stdout);
    expect(answer).toMatchObject({ fare_amount: 41.5, color: "blue", version: "1.0.0" });
  });

  test("predict passes on why there is no prediction", async () => {
    const { url } = await admin({ "POST /api/predict/": problem(503, "No healthy target is left.") });
    expectRefusal(
      await sluiceHere(["predict", "--url", url]),
      1,
      `${url} answered 503: No healthy target is left.`,
    );
  });
});
