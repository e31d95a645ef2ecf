import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { RequestFacts } from "../../../core/request-facts.ts";
import type { Refusal } from "../../../core/request-line.ts";
import type { DataPlane } from "../../data-plane.ts";
import { type Problem, refusalFields, writeProblem } from "../problem.ts";
import { answerProblem } from "./answer.ts";
import { factsOf } from "./outgoing.ts";

/** How a request is turned away. */
export interface Turned {
  /** Milliseconds at the gate. Default: 0 */
  readonly waited?: number;
  /** The connection ends with the answer. Default: true */
  readonly close?: boolean;
}

/** Answers a request that gets no color, and books it. */
export function refuse(
  plane: DataPlane,
  request: IncomingMessage,
  out: ServerResponse,
  problem: Problem,
  { waited = 0, close = true }: Turned = {},
): void {
  const facts = factsOf(request, request.url!);
  const requestId = plane.idOf(facts);
  const fields = refusalFields(plane, requestId);
  const bytes = answerProblem(out, problem, { fields, requestId, close });
  plane.refused(facts, { id: requestId, status: problem.status, bytes, duration: waited });
  request.resume();
}

/** The same where there is no response object; the connection ends. @param waited milliseconds at the gate */
export function refuseOnSocket(
  plane: DataPlane,
  socket: Socket,
  facts: RequestFacts,
  problem: Problem,
  waited = 0,
): void {
  const id = plane.idOf(facts);
  const fields = [...(problem.fields ?? []), ...refusalFields(plane, id)];
  const bytes = writeProblem(socket, { ...problem, fields }, id);
  plane.refused(facts, { id, status: problem.status, bytes, duration: waited });
}

/** What is said to a request that Node's parser refused, or that did not come in time; undefined: nothing can be said. */
export function problemOf(error: NodeJS.ErrnoException, socket: Socket): Problem | undefined {
  const gone = error.code === "ECONNRESET" || error.code === "HPE_INVALID_EOF_STATE";
  const silent = error.code === "ERR_HTTP_REQUEST_TIMEOUT" && socket.bytesRead === 0;
  if (gone || silent || !socket.writable) return undefined;
  return PARSE_PROBLEMS[error.code ?? ""] ?? UNREADABLE;
}

export const CONNECT_REFUSED: Problem = {
  status: 405,
  title: "Method Not Allowed",
  detail: "CONNECT is not relayed.",
  fields: [["Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]],
};
export const UNREADABLE: Refusal = {
  status: 400,
  title: "Bad Request",
  detail: "The request is not valid HTTP/1.1.",
};
const HEADER_TOO_LARGE: Problem = {
  status: 431,
  title: "Request Header Fields Too Large",
  detail: "The request's header is larger than limits.header allows.",
};
const HEADER_TOO_SLOW: Problem = {
  status: 408,
  title: "Request Timeout",
  detail: "The request's header did not arrive within timeouts.client_header.",
};
const PARSE_PROBLEMS: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: HEADER_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: HEADER_TOO_SLOW,
};
