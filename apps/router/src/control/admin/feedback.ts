import { z } from "zod";
import { MAX_ROWS } from "../../core/feedback/served.ts";
import { ItemsError, MAX_ITEMS, readItems } from "../feedback/items.ts";
import { readJson } from "./body.ts";
import type { AdminDeps } from "./deps.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminContext, AdminRoute } from "./route.ts";

/** Bytes of one call. */
const LIMIT = 256 * 1024;

const item = z.strictObject({
  request_id: z.string().min(1).max(128).meta({ description: "The X-Request-Id of an answer." }),
  actual: z.union([z.number(), z.array(z.number().nullable()).min(1).max(MAX_ROWS)]).meta({
    description: "What turned out to be so; a list for a request of several rows, null for not yet.",
  }),
  row: z.int().nonnegative().optional().meta({ description: "Which row the number is about, from 0." }),
});
const body = z.union([
  item,
  z.array(item).max(MAX_ITEMS),
  z.strictObject({ feedback: z.array(item).max(MAX_ITEMS) }),
]);
const answer = z.object({
  accepted: z.int().meta({ description: "Items with something new." }),
  repeated: z.int().meta({ description: "Items of which all was known: the first value counts." }),
  unknown: z.int().meta({ description: "Items whose request is not remembered." }),
  saved: z.literal(false).optional().meta({ description: "The disk does not take it now." }),
});

const nullable = z.number().nullable();
const version = z.object({
  color: z.string(),
  digest: z.string().nullable(),
  shadow: z.boolean(),
  rows: z.int(),
  mae: nullable,
  rmse: nullable,
  bias: nullable,
});
const view = z.object({
  remembered: z.int(),
  remember: z.number().meta({ description: "Seconds." }),
  max: z.int(),
  sample: z.number(),
  versions: z.array(version),
});

type Deps = Pick<AdminDeps, "feedback">;

/** Delayed truth: the calls that take it, and that show what came of it. */
export function feedbackRoutes(deps: Deps): AdminRoute[] {
  return [
    {
      method: "post",
      path: "/feedback",
      need: "feedback",
      summary: "Says what turned out to be so for requests that were answered.",
      description:
        "All items are taken, or none. Sending an item again does no harm; neither does an unknown one.",
      body: { schema: body, required: true },
      answer: { schema: answer, type: "application/json", status: 202 },
      refusals: {
        400: "An item is malformed, or does not fit its request; the sentence names its index.",
        409: "The configuration remembers nothing.",
        413: "The body is too large.",
        415: "The body is not JSON.",
        503: "Another program is taking this router's place; Retry-After says when to ask again.",
      },
      handle: (c) => take(c, deps),
    },
    {
      method: "get",
      path: "/admin/feedback",
      need: "read",
      summary:
        "Mean absolute and root mean squared errors of each version, over the requests that are remembered.",
      answer: { schema: view, type: "application/json" },
      refusals: { 409: "The configuration remembers nothing." },
      handle: (c) => c.json(viewOf(deps)),
    },
  ];
}

async function take(c: AdminContext, { feedback }: Deps): Promise<Response> {
  const json = await readJson(c, LIMIT);
  if (json === undefined) throw new HttpProblem(400, "The body is missing; expected JSON.");
  mustRemember(feedback);
  try {
    const { saved, ...counts } = await feedback.accept(readItems(json));
    return c.json({ ...counts, ...(saved ? {} : { saved }) }, 202);
  } catch (error) {
    if (!(error instanceof ItemsError)) throw error;
    feedback.counts.malformed += error.count;
    throw new HttpProblem(400, `${error.message} Nothing was taken.`);
  }
}

function mustRemember(feedback: Deps["feedback"]) {
  if (feedback.limits) return feedback.limits;
  throw new HttpProblem(409, "feedback is none in the configuration, so no request is remembered.");
}

/** The answer of `GET /admin/feedback`. */
export function viewOf({ feedback }: Deps): z.infer<typeof view> {
  const { remember, max, sample } = mustRemember(feedback);
  const versions = feedback.accuracy().map(({ digest, mae = null, rmse = null, bias = null, ...rest }) => ({
    ...rest,
    digest: digest || null,
    mae,
    rmse,
    bias,
  }));
  return { remembered: feedback.size, remember: remember / 1000, max, sample, versions };
}
