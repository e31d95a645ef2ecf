import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Field } from "../../core/forwarding.ts";
import type { Exchange } from "../exchange.ts";

/** What every answer to an exchange says, whoever gave it. */
export function ownFields(exchange: Exchange): Field[] {
  const own: Field[] = [idField(exchange.id), ["X-Sluice-Color", exchange.color.name]];
  if (exchange.hsts) own.push(["Strict-Transport-Security", exchange.hsts]);
  if (exchange.setCookie) own.push(["Set-Cookie", exchange.setCookie]);
  return own;
}

function idField(id: string): Field {
  return ["X-Request-Id", id];
}

/** The same for a request that was refused before it had an exchange. */
export function refusalFields(plane: { readonly hsts: string | undefined }, id: string): Field[] {
  const own: Field[] = [idField(id)];
  if (plane.hsts) own.push(["Strict-Transport-Security", plane.hsts]);
  return own;
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly fields?: readonly Field[];
  /** HTML that is sent instead of the problem document, to a client that wants it. */
  readonly page?: string;
}

/** What an answer with this problem carries, and its `Content-Type`. Engines send nothing else. */
export function problemContent(problem: Problem, requestId?: string): { type: string; body: string } {
  if (problem.page !== undefined) return { type: "text/html; charset=utf-8", body: problem.page };
  return { type: "application/problem+json", body: problemBody(problem, requestId) };
}

/** The body of a problem document (RFC 9457). */
export function problemBody(problem: Problem, requestId?: string): string {
  const { status, title, detail } = problem;
  return `${JSON.stringify({ type: "about:blank", title, status, detail, ...(requestId ? { request_id: requestId } : {}) })}\n`;
}

/** Answers with a problem document where there is no response object, and closes the connection. */
export function writeProblem(socket: Socket, problem: Problem, requestId: string): number {
  const { type, body } = problemContent(problem, requestId);
  const head = headText(problem.status, STATUS_CODES[problem.status] ?? problem.title, [
    ["Content-Type", type],
    ["Content-Length", String(Buffer.byteLength(body))],
    ["Date", new Date().toUTCString()],
    ["Connection", "close"],
    ...(problem.fields ?? []),
  ]);
  if (socket.writable) socket.write(head + body);
  socket.destroySoon();
  return Buffer.byteLength(body);
}

/** A response's head in the bytes of HTTP/1.1; the caller vouches for the fields. */
export function headText(status: number, reason: string, fields: readonly Field[]): string {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${status} ${reason}\r\n${lines}\r\n`;
}
