import { describe, expect, test } from "vitest";
import { type DeployFlags, imageOf, portOf, pullOf, readSettings } from "./options.ts";

describe("options", () => {
  const flags: DeployFlags = {
    artifact: "a.json",
    stepFor: "60s",
    timeout: "60s",
    drainTimeout: "30s",
    warmP95: "250ms",
    requests: "20",
    file: "compose.yaml",
    service: "api-{color}",
    pull: "missing",
  };
  test.each<[Partial<DeployFlags>, RegExp]>([
    [{ image: "b" }, /expected what to deploy: either --image REF or --artifact FILE/],
    [{ artifact: undefined } as unknown as Partial<DeployFlags>, /expected what to deploy/],
    [{ steps: "50,20" }, /--steps is "50,20"; expected rising percentages/],
    [{ steps: "50" }, /the last is 100/],
    [{ expectDigest: "sha256:1" }, /--expect-digest is "sha256:1"; expected sha256:/],
    [{ timeout: "5" }, /--timeout is "5"; expected a duration with its unit/],
    [{ requests: "0" }, /--requests is "0"; expected a whole number/],
    [{ url: "ftp://x" }, /the router's address is "ftp:\/\/x"/],
  ])("%j is bad usage", (bad, sentence) => {
    const error = (() => {
      try {
        return readSettings({ ...flags, ...bad }, {});
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(sentence) });
  });
  test("have defaults, and the environment's", () => {
    const env = { SLUICE_DEPLOY_FOLDER: "/srv/deploy", SLUICE_URL: "http://x:1/" };
    expect(readSettings(flags, env)).toMatchObject({
      folder: "/srv/deploy",
      url: "http://x:1",
      keepOld: undefined,
      switch: { title: "at once" },
      reason: "deploy a.json",
    });
    expect(readSettings({ ...flags, steps: "5, 25,100" }, env).switch.title).toBe("5, 25, 100 %, 60 s each");
  });
  test("name images, ports and policies that there can be", () => {
    expect(imageOf("ghcr.io/you/api@sha256:0a")).toBe("ghcr.io/you/api@sha256:0a");
    for (const bad of ["a b", "-x", "a'b", "$(x)", ""]) expect(() => imageOf(bad)).toThrow(/--image is/);
    expect(() => portOf("0")).toThrow(/--port is "0"/);
    expect(() => pullOf("often")).toThrow(/--pull is "often"; expected missing, always, never/);
  });
});
