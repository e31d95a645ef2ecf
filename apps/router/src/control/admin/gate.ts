import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import type { Command } from "../../core/transitions.ts";
import { gateView, viewGate } from "../gate-view.ts";
import type { Applied } from "../store.ts";
import { check, readJson } from "./body.ts";
import { carryOut, REFUSALS } from "./changes.ts";
import type { AdminDeps } from "./deps.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminRoute } from "./route.ts";
import { durationText, matchHeader, reason, waited, waitQuery } from "./schemas.ts";

const MINUTE = 60_000;
const HOLD = { usual: 30_000, longest: 10 * MINUTE };
const PAUSE = { usual: 5 * MINUTE, longest: 24 * 60 * MINUTE };
const RETRY_AFTER = { usual: MINUTE, longest: 24 * 60 * MINUTE };
const MOST_HELD = 100_000;
const USUAL_HELD = 1000;
const MESSAGE_LENGTH = "expected text of 1 to 500 characters";
const MESSAGE = "The service is under maintenance.";

const pauseBody = z.strictObject({
  max: z
    .int()
    .min(0)
    .max(MOST_HELD)
    .optional()
    .meta({ description: "Requests that each worker holds; one more is answered 503. Default: 1000." }),
  timeout: durationText("How long a request waits before it is answered 503; at most 10m. Default: 30s."),
  for: durationText("After how long the pause ends by itself; at most 24h. Default: 5m."),
  reason,
});
const resumeBody = z.strictObject({ force: z.boolean().optional(), reason });
const maintenanceBody = z.strictObject({
  on: z.boolean(),
  message: z
    .string()
    .trim()
    .min(1, MESSAGE_LENGTH)
    .max(500, MESSAGE_LENGTH)
    .regex(/^\P{Cc}*$/u, "expected text without control characters")
    .optional()
    .meta({ description: "What clients are told." }),
  retry_after: durationText("When clients may come back, as Retry-After; at most 24h. Default: 1m."),
  reason,
});
const changed = z.boolean().meta({
  description: "False: requests went on before, too, and there is no new revision.",
});
const answer = z.object({ revision: z.int(), epoch: z.int(), gate: gateView, changed, ...waited });

/** The calls that hold new requests up, or turn them away. */
export function gateRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    gateRoute(deps, "pause", pauseBody, {
      summary: "Holds new requests, until they are resumed or the pause is over.",
      description: "Requests in flight go on; `wait=drained` answers once none is left, of any color.",
      read: (json) => {
        const { max = USUAL_HELD, timeout, for: length, reason: why } = check(pauseBody, json ?? {});
        const until = deps.clock.now() + duration("for", length, PAUSE);
        const gate = { kind: "pause", max, timeout: duration("timeout", timeout, HOLD), until } as const;
        return { command: { kind: "pause", gate: why ? { ...gate, reason: why } : gate }, why };
      },
    }),
    gateRoute(deps, "resume", resumeBody, {
      summary: "Lets held requests go on, in order; 409 if nothing could answer them, unless forced.",
      read: (json) => {
        const { force = false, reason: why } = check(resumeBody, json ?? {});
        return { command: { kind: "resume", force }, why };
      },
    }),
    gateRoute(deps, "maintenance", maintenanceBody, {
      summary: "Answers new requests 503 with a message, or ends that.",
      description: "Overrides still reach their color, and checks go on. Ends a pause.",
      read: (json) => {
        if (json === undefined)
          throw new HttpProblem(400, 'The body is missing; expected {"on": true} or false.');
        const { on, message = MESSAGE, retry_after, reason: why } = check(maintenanceBody, json);
        const seconds = Math.ceil(duration("retry_after", retry_after, RETRY_AFTER) / 1000);
        const gate = on ? ({ kind: "maintenance", message, retryAfter: seconds } as const) : undefined;
        return { command: { kind: "maintenance", gate }, why };
      },
    }),
  ];
}

interface About {
  readonly summary: string;
  readonly description?: string;
  readonly read: (json: unknown) => { readonly command: Command; readonly why: string | undefined };
}

function gateRoute(deps: AdminDeps, name: string, schema: z.ZodType, { read, ...about }: About): AdminRoute {
  return {
    method: "post",
    path: `/admin/${name}`,
    need: "operate",
    ...about,
    query: waitQuery,
    headers: matchHeader,
    body: { schema, required: name === "maintenance" },
    answer: { schema: answer, type: "application/json" },
    refusals: REFUSALS,
    handle: async (c) => {
      const asked = read(await readJson(c));
      const show = ({ before, state }: Applied) => ({
        gate: viewGate(deps.store.view.routing.gate, deps.book),
        changed: before !== state,
      });
      return carryOut(c, deps, asked, show, { all: true });
    },
  };
}

const words = (ms: number) => (ms < 60 * MINUTE ? `${ms / MINUTE}m` : `${ms / MINUTE / 60}h`);

/** Milliseconds. @throws HttpProblem */
function duration(key: string, text: string | undefined, { usual, longest }: typeof HOLD): number {
  if (text === undefined) return usual;
  try {
    const found = parseDuration(text);
    if (found <= longest) return found;
  } catch {} // said below
  throw new HttpProblem(
    400,
    `${key}: ${JSON.stringify(text)}; expected a duration with its unit, such as 30s, of at most ${words(longest)}.`,
  );
}
