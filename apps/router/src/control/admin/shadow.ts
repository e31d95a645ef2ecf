import { z } from "zod";
import { certify } from "../../core/shadow/certificate.ts";
import { NO_PAIRS, type PairReport, type PairSums, summarize } from "../../core/shadow/pairs.ts";
import type { ColorIdentity } from "../shadow/identity.ts";
import { actor } from "./actor.ts";
import { check, readJson } from "./body.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminRoute } from "./route.ts";

const JSON_TYPE = "application/json";
const reason = z.string().trim().max(500).optional();
const startBody = z.strictObject({
  color: z.string(),
  percent: z.number().min(0).max(100).optional().meta({
    description: "Of the requests on declared paths; 0 ends the shadow. Default: 100.",
  }),
  reason,
});

const nullable = z.number().nullable();
const summary = z.object({
  pairs: z.int(),
  agree: z.int(),
  disagree: z.int(),
  broken: z.int(),
  agreement: nullable,
  mean: nullable,
  p95: nullable,
  largest: nullable,
});
const version = z.object({ version: z.string().nullable(), digest: z.string().nullable() });
const view = z.object({
  shadow: z
    .object({
      color: z.string(),
      against: z.string(),
      percent: z.number(),
      since: z.string(),
      by: z.string(),
      reason: z.string(),
      versions: z.object({ main: version, shadow: version }),
    })
    .nullable(),
  copies: z.record(z.string(), z.int()),
  tolerance: z.object({ atol: z.number(), rtol: z.number() }),
  compares: z.boolean(),
  pairs: summary,
  slices: z.record(z.string(), z.record(z.string(), summary)),
  certificate: z.object({
    passed: z.boolean(),
    limit: z.number(),
    evidence: z.number(),
    threshold: z.number(),
    missing: z.int(),
    sentence: z.string(),
  }),
});
const worst = z.object({
  worst: z.array(
    z.object({
      request_id: z.string(),
      at: z.string(),
      path: z.string(),
      main: z.number(),
      shadow: nullable,
      difference: nullable,
      outcome: z.string(),
      slices: z.record(z.string(), z.string()),
      body: z.string().optional(),
    }),
  ),
});

const REFUSALS = {
  400: "The body is malformed, or names an unknown color or a bad value.",
  409: "The color has weight or no healthy target, or no path is declared.",
  413: "The body is too large.",
  415: "The body is not JSON.",
  503: "Another program is taking this router's place; Retry-After says when to ask again.",
};

/** The calls about a color that gets copies of requests. */
export function shadowRoutes(deps: AdminDeps): AdminRoute[] {
  const answer = { schema: view, type: JSON_TYPE };
  const common = { path: "/admin/shadow", answer };
  return [
    {
      ...common,
      method: "get",
      need: "read",
      summary: "The shadow that runs, and how its predictions compare; or those of the last one.",
      handle: async (c) => {
        await deps.book.refresh();
        return c.json(viewOf(deps));
      },
    },
    {
      ...common,
      method: "post",
      need: "operate",
      summary: "Copies requests on declared paths to a color that serves nobody.",
      description: "A restart keeps it. It ends when the color gets weight.",
      body: { schema: startBody, required: true },
      refusals: REFUSALS,
      handle: async (c) => {
        const { color, percent = 100, reason: why } = check(startBody, await readJson(c));
        const by = { who: actor(c), why };
        if (percent > 0) deps.shadows.start(color, percent, by);
        else deps.shadows.stop(by);
        return c.json(viewOf(deps));
      },
    },
    {
      ...common,
      method: "delete",
      need: "operate",
      summary: "Ends the shadow; what was found stays known.",
      handle: (c) => {
        deps.shadows.stop({ who: actor(c) });
        return c.json(viewOf(deps));
      },
    },
    {
      method: "get",
      path: "/admin/shadow/worst",
      need: "operate",
      summary: "The pairs that differ most, the worst first.",
      description:
        "With the requests' queries and bodies only where `shadow.bodies` is set: they can be personal data.",
      answer: { schema: worst, type: JSON_TYPE },
      handle: async (c) => {
        await deps.book.refresh();
        const pairs = deps.shadows.found()?.worst ?? [];
        const keep = deps.config().shadow.worst;
        const shown = pairs.slice(0, keep).map((pair) => ({ ...pair, at: new Date(pair.at).toISOString() }));
        return c.json({ worst: shown });
      },
    },
  ];
}

function viewOf({ shadows, book, config }: AdminDeps): z.infer<typeof view> {
  const { running } = shadows;
  const found: PairReport | undefined = shadows.found();
  const all: PairSums = found?.all ?? NO_PAIRS;
  const { predictions, shadow: options } = config();
  const { atol, rtol } = options;
  const slices = Object.entries(found?.slices ?? {}).map(([field, buckets]) => [
    field,
    Object.fromEntries(Object.entries(buckets).map(([bucket, sums]) => [bucket, summarize(sums)])),
  ]);
  return {
    shadow: running
      ? {
          color: running.color,
          against: running.against,
          percent: running.percent,
          since: new Date(running.since).toISOString(),
          by: running.by,
          reason: running.reason,
          versions: { main: shown(running.identities.main), shadow: shown(running.identities.shadow) },
        }
      : null,
    copies: { ...(running && book.totals()[running.color]?.copies) },
    tolerance: { atol, rtol },
    compares: predictions !== undefined,
    pairs: summarize(all),
    slices: Object.fromEntries(slices),
    certificate: certify(all),
  };
}

function shown({ version, digest }: ColorIdentity) {
  return { version: version || null, digest: digest || null };
}
