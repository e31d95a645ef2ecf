import { expect, it } from "vitest";
import { command, hooks } from "../../../test/support/hooks.ts";
import type { HookConfig } from "../../config/config.ts";

it("knows its names as the configuration has them now", async () => {
  const configured: Record<string, HookConfig> = { a: command("0") };
  const { all, run } = hooks(configured);
  expect(all.names).toEqual(["a"]);
  delete configured.a;
  expect(all.names).toEqual([]);
  expect(await run("a")).toEqual({ ok: false, detail: "the configuration has no hook a any more" });
});
