import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Field, responseFields } from "../../../core/forwarding.ts";
import type { Exchange } from "../../exchange.ts";

const NOTHING = Buffer.alloc(0);

/** Pairs of `rawHeaders`, with names as they were sent. */
export function fieldsOf(message: IncomingMessage): Field[] {
  const raw = message.rawHeaders;
  const fields: Field[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push([raw[i]!, raw[i + 1]!]);
  return fields;
}

/** An upstream's fields as the client gets them, with what the router adds. */
export function answerFields(upstream: IncomingMessage, exchange: Exchange): Field[] {
  const { httpVersion, statusCode: status = 0 } = upstream;
  return responseFields(fieldsOf(upstream), { httpVersion, status }).concat(ownFields(exchange));
}

/** Writes the head of an upstream's answer. Node adds a Date where the upstream gave none (RFC 9110 section 6.6.1). */
export function writeHead(upstream: IncomingMessage, out: ServerResponse, exchange: Exchange): void {
  out.writeHead(upstream.statusCode!, upstream.statusMessage, flat(answerFields(upstream, exchange)));
  out.write(NOTHING); // flushHeaders() would write it as UTF-8, and values are latin1
}

/** What every answer to an exchange says, whoever gave it. */
export function ownFields(exchange: Exchange): Field[] {
  const own: Field[] = [idField(exchange.id), ["X-Sluice-Color", exchange.color.name]];
  if (exchange.setCookie) own.push(["Set-Cookie", exchange.setCookie]);
  return own;
}

export function idField(id: string): Field {
  return ["X-Request-Id", id];
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
export function writeProblem(socket: Socket, problem: Problem, requestId: string): number {
  const body = problemBody(problem, requestId);
  const head = headText(problem.status, STATUS_CODES[problem.status] ?? problem.title, [
    ["Content-Type", "application/problem+json"],
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

function flat(fields: readonly Field[]): string[] {
  return fields.flat();
}
