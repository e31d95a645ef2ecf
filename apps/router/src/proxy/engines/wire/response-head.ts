import { type Field, mayBeTrailer, PSEUDONYM } from "../../../core/forwarding.ts";
import { responseFault } from "../../../core/response-head.ts";
import type { Exchange } from "../../exchange.ts";
import { ownFields } from "../problem.ts";
import { fieldsOf } from "./admit-head.ts";
import { copyFields } from "./copy-fields.ts";
import { FIELD, kinds, OF_ONE_HOP } from "./field-kind.ts";
import type { Head } from "./head.ts";
import { namedBy } from "./request-head.ts";

/** How an answer's body is delimited by the upstream (RFC 9112 section 6.3). */
export const BODY = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type BodyKind = (typeof BODY)[keyof typeof BODY];

/** An answer's framing; `length` is only good for {@link BODY.length}. `fault` says why it is in doubt. */
export interface AnswerFraming {
  kind: BodyKind;
  length: number;
  fault: string | undefined;
}

/** Reads the framing into `into`, so that nothing is allocated. `toHead`: the request was HEAD. */
export function readFraming(head: Head, toHead: boolean, into: AnswerFraming): void {
  into.fault = undefined;
  into.kind = BODY.untilClose;
  into.length = 0;
  const coded = head.has(FIELD.transferEncoding);
  const at = head.find(FIELD.contentLength);
  if (coded || (at >= 0 && head.find(FIELD.contentLength, at + 1) >= 0)) into.fault = doubt(head);
  if (at >= 0 && into.fault === undefined) {
    const value = head.value(at);
    if (/^\d{1,15}$/.test(value)) into.length = Number(value);
    else into.fault = "its Content-Length is not one number";
  }
  if (into.fault !== undefined) return;
  const { status } = head;
  if (toHead || status === 204 || status === 304) into.kind = BODY.none;
  else if (coded) into.kind = BODY.chunked;
  else if (at >= 0) into.kind = into.length === 0 ? BODY.none : BODY.length;
}

/** An interim answer that says it has a body (RFC 9110 section 8.6, RFC 9112 section 6.1). */
export function claimsBody(head: Head): boolean {
  if (head.has(FIELD.transferEncoding)) return true;
  const at = head.find(FIELD.contentLength);
  return at >= 0 && (head.value(at) !== "0" || head.find(FIELD.contentLength, at + 1) >= 0);
}

function doubt(head: Head): string | undefined {
  const { status, reason, minor } = head;
  return responseFault({ status, reason, httpVersion: `1.${minor}`, fields: fieldsOf(head) });
}

/** What is said of the connection and the framing at the end of an answer's head. */
export interface AnswerEnd {
  readonly chunked: boolean;
  /** `close`, `keep-alive` for an HTTP/1.0 client, or nothing. */
  readonly connection: string;
}

/** The head of a final answer as the client gets it, with its empty line. */
export function writeAnswerHead(head: Head, exchange: Exchange, end: AnswerEnd, date: () => string): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${endToEnd(head)}Via: ${via(head)}\r\n`;
  if (!hasDate(head)) text += `Date: ${date()}\r\n`;
  text +=
    exchange.setCookie === undefined && exchange.hsts === undefined
      ? plainOwn(exchange)
      : lines(ownFields(exchange));
  if (end.chunked) text += "Transfer-Encoding: chunked\r\n";
  return end.connection === "" ? `${text}\r\n` : `${text}Connection: ${end.connection}\r\n\r\n`;
}

/** The head of an interim answer, such as 103 Early Hints. */
export function writeInterimHead(head: Head): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${endToEnd(head)}\r\n`;
}

function plainOwn(exchange: Exchange): string {
  return `X-Request-Id: ${exchange.id}\r\nX-Sluice-Color: ${exchange.color.name}\r\n`;
}

function lines(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

function via(head: Head): string {
  const own = head.minor === 1 ? `1.1 ${PSEUDONYM}` : `1.0 ${PSEUDONYM}`;
  let before = "";
  for (let i = head.find(FIELD.via); i >= 0; i = head.find(FIELD.via, i + 1)) {
    if (head.value(i) !== "") before += `${head.value(i)}, `;
  }
  return before + own;
}

function hasDate(head: Head): boolean {
  return head.has(FIELD.date);
}

function endToEnd(head: Head): string {
  const named = head.has(FIELD.connection) ? namedBy(head) : undefined;
  // A 204 and an interim answer have no length to state (RFC 9110 section 8.6).
  const dropped =
    head.status === 204 || head.status < 200 ? OF_ONE_HOP | kinds(FIELD.contentLength) : OF_ONE_HOP;
  return copyFields(head, { kinds: dropped, named, also: undefined });
}

/** A message whose trailers claim to say how it is framed is no mistake, and Node refuses it. */
const FRAMING = /^(?:transfer-encoding|content-length)$/i;

/**
 * A trailer section as it goes on: checked line by line like a header, without the fields that may not stand there.
 * Undefined where it is malformed, or would frame the message.
 */
export function relayTrailer(section: string): string | undefined {
  if (section === "\r\n") return section;
  let kept = "";
  for (const line of section.slice(0, -4).split("\r\n")) {
    const match = /^([!#$%&'*+\-.^_`|~\w]+):[\t ]*[\t\x20-\x7e\x80-\xff]*$/.exec(line);
    if (!match || FRAMING.test(match[1]!)) return undefined;
    if (mayBeTrailer(match[1]!)) kept += `${line}\r\n`;
  }
  return `${kept}\r\n`;
}
