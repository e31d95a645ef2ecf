import { z } from "zod";
import { PHASES } from "../../core/rollout/state.ts";
import type { ReleaseRecord } from "./record.ts";

const identity = z.object({ color: z.string(), version: z.string(), digest: z.string() });
const object = z.looseObject({});
const objects = z.array(object);

/** What lists and views need of a record: without it one file would keep all others from being shown. */
const needed = z.looseObject({
  id: z.string(),
  candidate: identity,
  stable: identity,
  by: z.string(),
  reason: z.string(),
  started: z.iso.datetime(),
  ended: z.iso.datetime().nullable(),
  phase: z.enum(PHASES),
  over: z.boolean(),
  share: z.number(),
  step: object,
  next: z.string(),
  verdict: z.looseObject({ decision: z.string(), reason: z.string(), outlook: z.string() }),
  guards: objects,
  warnings: z.array(z.string()),
  accepted: z.array(z.string()),
  checks: objects,
  steps: objects,
  plan: z.looseObject({ judgement: object }),
  weights: objects,
  log: z.array(z.looseObject({ at: z.string(), event: z.string(), reason: z.string(), by: z.string() })),
  evidence: z.looseObject({ tallies: object, pairs: object }),
});

/** A record as it was written. @throws SyntaxError, RangeError that names what is missing or wrong */
export function readRecord(text: string): ReleaseRecord {
  const json: unknown = JSON.parse(text);
  const issue = needed.safeParse(json).error?.issues[0];
  if (issue !== undefined) throw new RangeError(`${issue.path.join(".") || "record"}: ${issue.message}`);
  return json as ReleaseRecord;
}
