import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Field, PSEUDONYM, responseFields } from "../../../core/forwarding.ts";
import type { Exchange } from "../../exchange.ts";

/** Pairs of `rawHeaders`, with names as they were sent. */
export function fieldsOf(message: IncomingMessage): Field[] {
  const raw = message.rawHeaders;
  const fields: Field[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push([raw[i]!, raw[i + 1]!]);
  return fields;
}

/** Writes the head of an upstream's answer, with what the router adds to it. */
export function writeHead(upstream: IncomingMessage, out: ServerResponse, exchange: Exchange): void {
  const fields = responseFields(fieldsOf(upstream));
  fields.push(["Via", `${upstream.httpVersion} ${PSEUDONYM}`]);
  out.writeHead(upstream.statusCode!, upstream.statusMessage, flat(fields.concat(ownFields(exchange))));
}

/** What every answer to an exchange says, whoever gave it. */
export function ownFields(exchange: Exchange): Field[] {
  const own: Field[] = [
    ["X-Request-Id", exchange.id],
    ["X-Sluice-Color", exchange.color.name],
  ];
  if (exchange.setCookie) own.push(["Set-Cookie", exchange.setCookie]);
  return own;
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly fields?: readonly Field[];
}

/** The body of a problem document (RFC 9457). */
export function problemBody(problem: Problem, requestId?: string): string {
  const { status, title, detail } = problem;
  return `${JSON.stringify({ type: "about:blank", title, status, detail, ...(requestId ? { request_id: requestId } : {}) })}\n`;
}

/** Answers with a problem document. `close` ends the connection, as after a request that cannot be read to its end. */
export function answerProblem(
  out: ServerResponse,
  problem: Problem,
  options: { fields?: readonly Field[]; requestId?: string; close?: boolean } = {},
): number {
  if (out.headersSent || out.destroyed) return 0;
  const body = problemBody(problem, options.requestId);
  const fields: Field[] = [
    ["Content-Type", "application/problem+json"],
    ["Content-Length", String(Buffer.byteLength(body))],
    ...(problem.fields ?? []),
    ...(options.fields ?? []),
  ];
  if (options.close) fields.push(["Connection", "close"]);
  out.writeHead(problem.status, STATUS_CODES[problem.status] ?? problem.title, flat(fields));
  out.end(body);
  return Buffer.byteLength(body);
}

/** The same where there is no response object: a broken request, a refused tunnel. The connection is closed. */
export function writeProblem(socket: Socket, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = problemBody(problem);
  const fields: Field[] = [
    ["Content-Type", "application/problem+json"],
    ["Content-Length", String(Buffer.byteLength(body))],
    ["Connection", "close"],
    ...(problem.fields ?? []),
  ];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? problem.title}\r\n${lines}\r\n${body}`,
  );
}

function flat(fields: readonly Field[]): string[] {
  return fields.flat();
}
