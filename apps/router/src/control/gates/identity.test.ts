import { describe, expect, it } from "vitest";
import { check, failed, GOLDEN, NEW, OLD, type Scene, version } from "../../../test/support/gates.ts";

describe("the gate identity", () => {
  it("passes when every target is the version that was asked for, and another than the stable color's", async () => {
    const [one, two] = [await version({ model: { ...NEW, golden: GOLDEN } }), await version()];
    expect(await check("identity", { green: [one.url, two.url] })).toEqual({
      ok: true,
      detail: "2 targets of green are 1.0.1, sha256:new",
    });
  });
  it.each<[Omit<Scene, "green">, unknown, RegExp]>([
    [{ checked: {} }, undefined, /says at its checks that it has the digest nothing; expected sha256:new$/],
    [
      { checked: OLD },
      undefined,
      /says at its checks that it has the digest sha256:old; expected sha256:new$/,
    ],
    [
      { checked: { ...NEW, version: "2" } },
      undefined,
      /says at its checks that it is version 2; expected 1\.0\.1$/,
    ],
    [{}, OLD, /says at \/model that it has the digest sha256:old; expected sha256:new$/],
    [{}, { ...NEW, version: "2" }, /says at \/model that it is version 2; expected 1\.0\.1$/],
    [
      { context: { stable: { color: "blue", ...NEW } } },
      undefined,
      /^green runs what blue runs \(sha256:new\); expected another/,
    ],
    [{ context: { targets: () => [] } }, undefined, /^green has no target$/],
  ])("fails for %j %j", async (scene, model, sentence) => {
    const { url } = await version({ model });
    expect(await check("identity", { green: [url], ...scene })).toEqual(failed(sentence));
  });
});
