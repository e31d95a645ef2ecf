import { expect, it } from "vitest";
import { testConfig } from "../../../test/support/control-plane.ts";
import { Dialer } from "../../targets/dialer.ts";
import { askTarget } from "./ask.ts";
import { candidateGates } from "./gates.ts";

it("are usual as the configuration says", () => {
  const { gates, predictions } = testConfig();
  const config = () => ({ gates: { ...gates, usual: ["golden" as const] }, predictions });
  const all = candidateGates({ config, ask: askTarget(new Dialer()), lastCheck: () => undefined });
  expect(all.map(({ name, usual }) => [name, usual("same")])).toEqual([
    ["identity", false],
    ["golden", true],
    ["schema", false],
    ["warm_up", false],
  ]);
});
