import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { Metrics } from "./metrics.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts and times each request; at level debug it also logs it. What a client makes up never becomes a label: an
 * unknown path is `unmatched`, an unknown method `OTHER`.
 */
export function observe(metrics: Metrics, log: Logger, app: OpenAPIHono): MiddlewareHandler {
  let known: Set<string> | undefined;
  return async (c, next) => {
    const start = performance.now();
    metrics.inFlight.inc();
    try {
      await next();
    } finally {
      metrics.inFlight.dec();
      const seconds = (performance.now() - start) / 1000;
      const { path } = c.req;
      known ??= routePaths(app);
      const route = [path, routePath(c, -1)].find((each) => known?.has(each)) ?? "unmatched";
      const method = METHODS.has(c.req.method) ? c.req.method : "OTHER";
      metrics.requests.inc({ method, route, code: c.res.status });
      metrics.duration.observe({ route }, seconds);
      if (log.isLevelEnabled("debug")) {
        const request_id = c.req.header("X-Request-Id");
        const trace_id = traceId(c.req.header("traceparent"));
        log.debug(
          { method: c.req.method, path, status: c.res.status, seconds, request_id, trace_id },
          "request",
        );
      }
    }
  };
}

/** The trace that a `traceparent` field names (W3C Trace Context); undefined where it is none. */
function traceId(traceparent: string | undefined): string | undefined {
  return /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/.exec(
    traceparent ?? "",
  )?.[1];
}

/** What may be a label: a route's path, with `:name` where the client chooses. */
function routePaths(app: OpenAPIHono): Set<string> {
  return new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path));
}
