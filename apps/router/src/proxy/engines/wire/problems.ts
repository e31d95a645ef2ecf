import { headText, type Problem, problemContent } from "../problem.ts";
import type { HeadFault } from "./head.ts";

export const UNREADABLE: Problem = {
  status: 400,
  title: "Bad Request",
  detail: "The request is not valid HTTP/1.1.",
};
export const HEADER_TOO_LARGE: Problem = {
  status: 431,
  title: "Request Header Fields Too Large",
  detail: "The request's header is larger than limits.header allows.",
};
export const HEADER_TOO_SLOW: Problem = {
  status: 408,
  title: "Request Timeout",
  detail: "The request's header did not arrive within timeouts.client_header.",
};

const WHY: Readonly<Record<HeadFault, string>> = {
  startLine: "The request line is not valid.",
  version: "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
  fieldName: "A header field's name is not valid, or not followed by a colon at once.",
  fieldValue: "A header field's value has a control character.",
  folded: "A header field is folded over several lines.",
  lineEnd: "A line does not end with CR LF.",
  tooMany: "The request has too many header fields.",
};

/** What a client is told of a head that cannot be read. */
export function problemOf(fault: HeadFault, limits: { headers: number }): Problem {
  const detail = WHY[fault];
  if (fault === "version") return { status: 505, title: "HTTP Version Not Supported", detail };
  if (fault !== "tooMany") return { status: 400, title: "Bad Request", detail };
  return {
    status: 431,
    title: "Request Header Fields Too Large",
    detail: `The request has more than ${limits.headers} header fields (limits.headers).`,
  };
}

/** A problem document as an answer (RFC 9457). @param close the connection ends with it */
export function problemText(
  problem: Problem,
  requestId: string | undefined,
  date: string,
  close: boolean,
): { head: string; body: string } {
  const { type, body } = problemContent(problem, requestId);
  const head = headText(problem.status, problem.title, [
    ["Content-Type", type],
    ["Content-Length", String(Buffer.byteLength(body))],
    ["Date", date],
    ...(problem.fields ?? []),
    ...(close ? ([["Connection", "close"]] as const) : []),
  ]);
  return { head, body };
}
