import { accepts } from "hono/accepts";
import { z } from "zod";
import { stateView } from "../state-view.ts";
import type { AdminDeps } from "./deps.ts";
import { revisionTag } from "./if-match.ts";
import { HttpProblem } from "./problems.ts";
import type { AdminRoute } from "./route.ts";
import * as schemas from "./schemas.ts";
import { streamEvents } from "./stream.ts";

const JSON_TYPE = "application/json";
const text = z.string();

/** The calls that only look. */
export function viewRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    {
      method: "get",
      path: "/admin/state",
      need: "read",
      summary: "Epoch, weights, colors with targets, health, in-flight requests and versions.",
      answer: { schema: schemas.stateAnswer, type: JSON_TYPE },
      handle: async (c) => {
        await deps.book.refresh();
        const state = stateView(deps, deps.clock.now());
        c.header("ETag", revisionTag(state.revision));
        return c.json(state);
      },
    },
    {
      method: "get",
      path: "/admin/history",
      need: "read",
      summary: "Who changed what, when, why, from what and to what; the newest first.",
      query: z.object({ limit: z.string().optional().meta({ description: "At most this many entries." }) }),
      answer: { schema: schemas.historyAnswer, type: JSON_TYPE },
      refusals: { 400: "The limit is not a whole number." },
      handle: (c) =>
        c.json({ history: deps.store.history.toReversed().slice(0, readLimit(c.req.query("limit"))) }),
    },
    {
      method: "get",
      path: "/admin/events",
      need: "read",
      summary: "Changes, health changes, decisions of rollouts and reports, as server-sent events.",
      description:
        "`Last-Event-ID` gets what was missed, as far as it is kept. Reports come every second, without id.",
      answer: { schema: text, type: "text/event-stream" },
      handle: (c) => streamEvents(c, deps),
    },
  ];
}

/** A load balancer that took a paused router out would make errors of requests that only wait. */
const STATUS = { open: "ready", pause: "paused", maintenance: "maintenance" } as const;

/** What anybody may ask, of the admin port and of the metrics' own. */
export function healthRoutes({ unready, store }: Pick<AdminDeps, "unready" | "store">): AdminRoute[] {
  const answer = { schema: z.object({ status: text }), type: JSON_TYPE };
  return [
    {
      method: "get",
      path: "/healthz",
      need: undefined,
      summary: "The process is alive.",
      answer,
      handle: (c) => c.json({ status: "alive" }),
    },
    {
      method: "get",
      path: "/readyz",
      need: undefined,
      summary: "The router is ready to take traffic.",
      description: "Also while it is paused or in maintenance, which `status` says then.",
      answer,
      refusals: { 503: "No color with weight, nor the standby, has an available target." },
      handle: (c) => {
        const why = unready();
        if (why !== undefined) throw new HttpProblem(503, why);
        return c.json({ status: STATUS[store.view.routing.gate?.kind ?? "open"] });
      },
    },
  ];
}

const PROMETHEUS = "text/plain";
const OPEN_METRICS = "application/openmetrics-text";

export function metricsRoute(metrics: AdminDeps["metrics"], need: "read" | undefined): AdminRoute {
  return {
    method: "get",
    path: "/metrics",
    need,
    summary:
      "Everything that is counted, in Prometheus' text format; as OpenMetrics, with exemplars, for who accepts it.",
    answer: { schema: text, type: PROMETHEUS },
    handle: async (c) => {
      const options = {
        header: "Accept" as const,
        supports: [OPEN_METRICS, PROMETHEUS],
        default: PROMETHEUS,
      };
      const wanted = accepts(c, options) === OPEN_METRICS ? "openmetrics" : "prometheus";
      const { text, contentType } = await metrics.render(wanted);
      return c.body(text, 200, { "Content-Type": contentType, Vary: "Accept" });
    },
  };
}

function readLimit(limit: string | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (/^\d{1,6}$/.test(limit)) return Number(limit);
  throw new HttpProblem(400, `limit: ${JSON.stringify(limit)}; expected a whole number.`);
}
