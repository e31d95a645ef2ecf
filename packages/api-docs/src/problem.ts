import { STATUS_CODES } from "node:http";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An RFC 9457 problem document. Other members are extensions; one that is undefined is left out. */
export interface Problem {
  readonly status: ContentfulStatusCode;
  /** One sentence for the reader: what was wrong with this very request. */
  readonly detail: string;
  /** @default the status's reason phrase, as RFC 9457 section 4.2.1 wants for `about:blank` */
  readonly title?: string;
  /** A URI that names the kind of problem. @default "about:blank" */
  readonly type?: string;
  readonly [extension: string]: unknown;
}

/** The document alone, for code that answers without hono. Send it as `application/problem+json`. */
export function problemBody({ type = "about:blank", title, status, detail, ...extensions }: Problem): string {
  return JSON.stringify({
    type,
    title: title ?? STATUS_CODES[status] ?? "Error",
    status,
    detail,
    ...extensions,
  });
}

/** Answers with a problem document. Headers set before by `c.header` stay, so `Allow` and `Retry-After` go there. */
export function problem(c: Context, document: Problem): Response {
  return c.body(problemBody(document), document.status, { "Content-Type": "application/problem+json" });
}
