import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { type Field, responseFields } from "../../../core/forwarding.ts";
import type { Exchange } from "../../exchange.ts";
import { ownFields, type Problem, problemContent } from "../problem.ts";

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

/** Answers with a problem document. `close` ends the connection, as after a request that cannot be read to its end. */
export function answerProblem(
  out: ServerResponse,
  problem: Problem,
  options: { fields?: readonly Field[]; requestId?: string; close?: boolean } = {},
): number {
  if (out.headersSent || out.destroyed) return 0;
  const { type, body } = problemContent(problem, options.requestId);
  const fields: Field[] = [
    ["Content-Type", type],
    ["Content-Length", String(Buffer.byteLength(body))],
    ...(problem.fields ?? []),
    ...(options.fields ?? []),
  ];
  if (options.close) fields.push(["Connection", "close"]);
  out.writeHead(problem.status, STATUS_CODES[problem.status] ?? problem.title, flat(fields));
  out.end(body);
  return Buffer.byteLength(body);
}

function flat(fields: readonly Field[]): string[] {
  return fields.flat();
}
