import { withoutBlanks } from "./blanks.ts";
import type { Field } from "./forwarding.ts";

/** The head of an upstream's final answer. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly httpVersion: string;
  readonly fields: readonly Field[];
}

/** HTAB, SP, VCHAR and obs-text (RFC 9112 section 4). */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Why an answer is in doubt, undefined where it is not. A doubtful one is never passed on: whoever reads it next might
 * find another end of it than we did (RFC 9112 sections 6.1 and 6.3).
 */
export function responseFault(head: ResponseHead): string | undefined {
  if (head.httpVersion !== "1.1" && head.httpVersion !== "1.0") return "its version is not HTTP/1";
  if (head.status < 200 || head.status > 599) return `its status is ${head.status}`;
  if (!REASON.test(head.reason)) return "its reason phrase has control characters";
  let coding: string | undefined;
  let length: string | undefined;
  for (const [name, value] of head.fields) {
    const lower = name.toLowerCase();
    if (lower === "transfer-encoding") coding = coding === undefined ? value : `${coding}, ${value}`;
    else if (lower === "content-length") length = length === undefined ? value : `${length}, ${value}`;
  }
  if (length !== undefined && !/^\d+$/.test(length)) return "its Content-Length is not one number";
  if (coding === undefined) return undefined;
  if (length !== undefined) return "it has both Content-Length and Transfer-Encoding";
  if (head.httpVersion === "1.0") return "HTTP/1.0 has no Transfer-Encoding";
  return withoutBlanks(coding).toLowerCase() === "chunked"
    ? undefined
    : "its Transfer-Encoding is not chunked";
}
