import { expect, test } from "vitest";
import { checkConfig } from "./load.ts";
import { redactedConfig } from "./redact.ts";
import { diffForReload } from "./reload.ts";

const BASE = { colors: { blue: { weight: 1 }, green: { weight: 0 } } };
const config = (changes: object) => checkConfig({ ...BASE, ...changes }, {}, "sluice.yaml");

test("the same configuration twice differs in nothing", () => {
  expect(diffForReload(config({}), config({}))).toEqual({ applied: [], restart: [] });
});

test("sockets, engine, state and the set of colors wait for a restart; the rest is applied", () => {
  const next = config({
    listen: ":81",
    admin: { listen: "127.0.0.1:9999", token: "a" },
    metrics: { listen: "127.0.0.1:9998" },
    state: "memory",
    health: { interval: "5s", fall: 3 },
    affinity: { cookie: "a" },
    colors: { blue: { weight: 2 }, green: { weight: 0, targets: ["http://a:1"] } },
  });
  const { applied, restart } = diffForReload(config({}), next);
  expect([...restart].sort()).toEqual(["admin.listen", "listen", "metrics.listen", "state"]);
  expect([...applied].sort()).toEqual([
    "admin.tokens",
    "affinity",
    "colors.blue.weight",
    "colors.green.targets",
    "health.interval",
  ]);
});

test("a new, a removed and a moved color are another set of colors", () => {
  for (const colors of [
    { ...BASE.colors, red: { weight: 0 } },
    { blue: { weight: 1 } },
    { green: { weight: 0 }, blue: { weight: 1 } },
  ]) {
    expect(diffForReload(config({}), config({ colors }))).toEqual({ applied: [], restart: ["colors"] });
  }
});

test("a redacted configuration holds no secret and is otherwise the same", () => {
  const whole = config({ admin: { token: "hunter2" }, override: { secret: "hunter3" } });
  const shown = redactedConfig(whole);
  expect(JSON.stringify(shown)).not.toContain("hunter");
  expect(shown.admin.tokens).toEqual([{ token: "***", scope: "all" }]);
  expect({ ...shown, admin: whole.admin, override: whole.override }).toEqual(whole);
});
