import { z } from "zod";
import type { Gate } from "../core/gate.ts";
import type { ReportBook } from "./report-book.ts";

/** What becomes of new requests, as the admin API says it; null: they go to a color. Durations are in seconds. */
export const gateView = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("pause"),
      /** Requests that each worker may hold. */
      max: z.int(),
      timeout: z.number(),
      /** ISO 8601. */
      until: z.string(),
      reason: z.string().nullable(),
      /** Requests that wait now, over all workers. */
      held: z.int(),
    }),
    z.object({ kind: z.literal("maintenance"), message: z.string(), retry_after: z.int() }),
  ])
  .nullable();

export type GateView = z.infer<typeof gateView>;

export function viewGate(gate: Gate | undefined, book: ReportBook): GateView {
  if (gate === undefined) return null;
  if (gate.kind === "maintenance")
    return { kind: "maintenance", message: gate.message, retry_after: gate.retryAfter };
  const { max, timeout, until, reason = null } = gate;
  const held = book.totals().none?.held ?? 0;
  return { kind: "pause", max, timeout: timeout / 1000, until: new Date(until).toISOString(), reason, held };
}
