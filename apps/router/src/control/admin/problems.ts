import { type Problem, problem } from "@sluice/api-docs";
import type { Context, ErrorHandler, NotFoundHandler } from "hono";
import { REFUSALS, Refusal } from "../../core/refusal.ts";
import type { Log } from "../log.ts";

/** A request that cannot be answered as it is; becomes an RFC 9457 document. */
export class HttpProblem extends Error {
  readonly status: Problem["status"];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: Problem["status"], detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Every error as a problem document; what nobody expected is logged and not shown. */
export function onError(log: Log): ErrorHandler {
  return (error, c) => {
    if (error instanceof Refusal) {
      const { status, title } = REFUSALS[error.code];
      if (status === 503) c.header("Retry-After", "1");
      return problem(c, { status, title, detail: error.message, code: error.code });
    }
    if (error instanceof HttpProblem) {
      for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
      return problem(c, { status: error.status, detail: error.message });
    }
    log.error({ error: error.stack ?? String(error), path: c.req.path }, "The admin API failed.");
    return problem(c, { status: 500, detail: "The router failed to answer; its log says why." });
  };
}

export const onNotFound: NotFoundHandler = (c) =>
  problem(c, {
    status: 404,
    detail: `There is nothing at ${c.req.path}; /admin/openapi.json says what there is.`,
  });

export function onMethodNotAllowed(c: Context, methods: string[]): Response {
  const allow = methods.join(", ");
  c.header("Allow", allow);
  return problem(c, { status: 405, detail: `${c.req.path} answers ${allow} only.` });
}
