import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import type { AdminEnv } from "./env.ts";
import { mayDo, type Need } from "./guard.ts";

export type AdminContext = Context<AdminEnv>;

/** One row of the API: its address, what it needs, what it says of itself, and what it does. */
export interface AdminRoute {
  readonly method: "get" | "post" | "put" | "delete";
  /** As hono writes it: `/admin/colors/:color/targets`. */
  readonly path: string;
  /** What a token must grant; undefined: nothing is asked. */
  readonly need: Need | undefined;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean };
  /** Its status is 200 unless another is given. */
  readonly answer: { readonly schema: z.ZodType; readonly type: string; readonly status?: number };
  /** Statuses of refusals besides 401 and 403, with their reasons. */
  readonly refusals?: Readonly<Record<number, string>>;
  readonly handle: (c: AdminContext) => Promise<Response> | Response;
}

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().optional(),
  })
  .meta({ description: "An RFC 9457 problem document." });

/** Adds routes to an app and to its description, from the same rows, so that the two cannot disagree. */
export function addRoutes(app: OpenAPIHono<AdminEnv>, routes: readonly AdminRoute[]): void {
  for (const route of routes) {
    const guards = route.need === undefined ? [] : [mayDo(route.need)];
    app.on([route.method.toUpperCase()], [route.path], ...guards, route.handle);
    app.openAPIRegistry.registerPath(describe(route));
  }
}

function describe(route: AdminRoute): RouteConfig {
  const { method, path, summary, description, params, query, headers, body, answer, need } = route;
  const request: Record<string, unknown> = {
    ...(params && { params }),
    ...(query && { query }),
    ...(headers && { headers }),
    ...(body && {
      body: { required: body.required, content: { "application/json": { schema: body.schema } } },
    }),
  };
  return {
    method,
    path: path.replace(/:(\w+)/g, "{$1}"),
    summary,
    ...(description && { description }),
    ...(need && { security: [{ token: [] }, {}] }),
    request,
    responses: {
      [answer.status ?? 200]: { description: "Done.", content: { [answer.type]: { schema: answer.schema } } },
      ...refusals(route),
    },
  };
}

function refusals({ refusals = {}, need }: AdminRoute): RouteConfig["responses"] {
  const guarded = {
    401: "A token is needed, or not valid.",
    403: "The token's scope is too small, or the origin foreign.",
  };
  const all = { ...(need && guarded), ...refusals };
  const content = { "application/problem+json": { schema: problemSchema } };
  return Object.fromEntries(
    Object.entries(all).map(([status, description]) => [status, { description, content }]),
  );
}
