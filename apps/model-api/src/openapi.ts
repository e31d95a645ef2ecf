import type { OpenAPIHono, z } from "@hono/zod-openapi";
import { problemSchema } from "./schema.ts";

const INFO = {
  openapi: "3.1.0",
  info: {
    title: "Taxi fare model API",
    version: "0.1.0",
    description:
      "Predicts New York taxi fares. X-Model-Version and X-Model-Digest are on every answer; " +
      "errors are RFC 9457 problem documents.",
  },
};

/** Serves the description of all routes at `/openapi.json`; made when it is first asked for. */
export function describeApi(app: OpenAPIHono): void {
  let document: string | undefined;
  app.get("/openapi.json", (c) => {
    document ??= JSON.stringify(app.getOpenAPI31Document(INFO));
    return c.body(document, 200, { "Content-Type": "application/json" });
  });
}

/** A JSON answer in a route's description. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A problem document in a route's description. */
export function problemAnswer(description: string) {
  return { description, content: { "application/problem+json": { schema: problemSchema } } };
}
