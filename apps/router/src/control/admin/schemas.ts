import { z } from "zod";
import { gateView } from "../gate-view.ts";
import { historyEntry } from "../history.ts";

/** Why somebody does something, for the history. */
export const reason = z.string().trim().max(500).optional();

/** While a rollout runs, weights are its own: this ends it, and makes the change in its place. */
const abort_rollout = z.boolean().optional().meta({ description: "Aborts the rollout that runs." });

export const flipBody = z.strictObject({
  to: z.string(),
  force: z.boolean().optional(),
  abort_rollout,
  reason,
});
export const undoBody = z.strictObject({ abort_rollout, reason });
export const plainBody = z.strictObject({ reason });
export const targetsBody = z.strictObject({ targets: z.array(z.string()).max(1000), reason });
/** Any object: zod's records drop a key `__proto__` in silence, and the transition judges every key. */
const anyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  'expected an object, such as {"blue": 90, "green": 10}',
);
/** The long form; the short one is the weights alone. */
export const weightsBody = z.strictObject({ weights: anyObject, abort_rollout, reason });
/** For the description: both forms. */
export const weightsForms = z.union([
  z.record(z.string(), z.number().nonnegative()),
  z.strictObject({ weights: z.record(z.string(), z.number().nonnegative()), abort_rollout, reason }),
]);

/** A duration with its unit; who reads it says what is wrong with one. */
export function durationText(description: string) {
  return z.string().optional().meta({ description });
}

export const waitQuery = z.strictObject({
  wait: z
    .literal("drained")
    .optional()
    .meta({ description: "Answer once the colors at 0 have nothing in flight." }),
  tunnels: z
    .enum(["true", "false"])
    .optional()
    .meta({ description: "Wait for WebSockets and event streams, too. Default: false." }),
  timeout: durationText("How long to wait, such as 30s; at most 1h. Default: timeouts.drain."),
});
export const matchHeader = z.object({
  "If-Match": z
    .string()
    .optional()
    .meta({ description: 'The revision that the change is made for, such as "7".' }),
});

const weights = z.record(z.string(), z.number());
export const waited = {
  saved: z.literal(false).optional(),
  acknowledged: z.literal(false).optional(),
  drained: z.boolean().optional(),
  in_flight: z.record(z.string(), z.int()).optional(),
  tunnels: z.record(z.string(), z.int()).optional(),
};
export const changeAnswer = z.object({
  revision: z.int(),
  epoch: z.int(),
  weights,
  previous: weights,
  ...waited,
});
export const targetsAnswer = z.object({
  revision: z.int(),
  epoch: z.int(),
  color: z.string(),
  targets: z.array(z.string()),
  previous: z.array(z.string()),
  ...waited,
});
export const historyAnswer = z.object({ history: z.array(historyEntry) });

const nullable = z.number().nullable();
const target = z.object({
  url: z.string(),
  health: z.enum(["starting", "up", "down", "ejected"]),
  in_flight: z.int(),
  suspect: z.boolean(),
  version: z.string().nullable(),
  digest: z.string().nullable(),
  last_check: z
    .object({ at: z.string(), ok: z.boolean(), detail: z.string(), duration: z.number() })
    .nullable(),
});
const color = z.object({
  name: z.string(),
  weight: z.number(),
  share: z.number(),
  in_flight: z.int(),
  tunnels: z.int(),
  targets: z.array(target),
  retiring: z.array(target),
  rate: z.number(),
  error_ratio: nullable,
  p50: nullable,
  p99: nullable,
  evidence: z.object({ requests: z.int(), bad: z.int() }),
});
export const stateAnswer = z.object({
  revision: z.int(),
  epoch: z.int(),
  version: z.string(),
  pid: z.int(),
  started: z.string(),
  uptime: z.number(),
  split: z.enum(["random", "exact"]),
  weights,
  previous: weights.nullable(),
  standby: z.string().nullable(),
  connections: z.int(),
  gate: gateView,
  colors: z.array(color),
  rollout: z
    .object({
      id: z.string(),
      candidate: z.string(),
      stable: z.string(),
      phase: z.string(),
      paused: z.string().nullable(),
      share: z.number(),
      step: z.int(),
      steps: z.int(),
      verdict: z.string(),
    })
    .nullable(),
});
