import type { CommandHook, HookConfig } from "../../src/config/config.ts";
import type { HookContext } from "../../src/control/hooks/facts.ts";
import { ConfiguredHooks } from "../../src/control/hooks/hooks.ts";
import { FakeLog } from "./fake-log.ts";

/** What a hook is told of a rollout. */
export const CONTEXT: HookContext = {
  id: "r-1",
  candidate: { color: "green", version: "1.0.1", digest: "sha256:b" },
  stable: { color: "blue", version: "1.0.0", digest: "sha256:a" },
  expect: "better",
  by: "ana",
  reason: "a better model\0",
  targets: (color) => (color === "green" ? ["http://127.0.0.1:8002", "http://127.0.0.1:8012"] : []),
  phase: "promoting",
  share: 50,
};
const NEVER = new AbortController().signal;

/** Hooks by name, and a way to run one before a promotion. */
export function hooks(configured: Record<string, HookConfig>) {
  const log = new FakeLog();
  const all = new ConfiguredHooks({ configured: () => configured, log });
  const run = (name: string, signal = NEVER) => all.run(name, "before_promotion", CONTEXT, signal);
  return { all, run, log };
}

/** A hook that calls `url`. */
export const call = (url: string, more: object = {}): HookConfig => ({
  url,
  method: "POST",
  headers: {},
  timeout: 60_000,
  ...more,
});

/** A hook that runs `script` in Node. */
export const command = (script: string, more: Partial<CommandHook> = {}): CommandHook => ({
  command: [process.execPath, "-e", script],
  env: {},
  timeout: 60_000,
  folder: "/",
  ...more,
});
