/** What a request says of the trace that it belongs to: W3C Trace Context, level 1, and level 2 for the random flag. */

import type { Field } from "./forwarding.ts";
import type { RequestFacts } from "./request-facts.ts";

/** The trace that a request belongs to. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** The caller's span: 16 digits; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  /** {@link SAMPLED} and {@link RANDOM}; bits that are not defined yet are 0 (section 3.2.2.5.3). */
  readonly flags: number;
  /** The combined `tracestate`; undefined where there is none. */
  readonly state: string | undefined;
}

/** The caller records this trace. */
export const SAMPLED = 1;
/** The last seven bytes of the trace id are random (level 2, section 3.2.2.5.2). */
export const RANDOM = 2;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;

/**
 * The trace that a client's fields name; undefined where there is no valid `traceparent`, and `tracestate` is nobody's
 * then (section 4.3). A later version is read as far as this one knows it (section 4.2.1).
 */
export function readTraceContext(facts: Pick<RequestFacts, "header">): TraceContext | undefined {
  const match = TRACEPARENT.exec(facts.header("traceparent") ?? "");
  if (match === null) return undefined;
  const [, version, traceId = "", parentId = "", flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (ALL_ZERO.test(traceId) || ALL_ZERO.test(parentId)) return undefined;
  const known = Number.parseInt(flags, 16) & (SAMPLED | RANDOM);
  return { traceId, parentId, flags: known, state: readTracestate(facts.header("tracestate")) };
}

/** The value of `traceparent` that names `spanId` as the parent. */
export function traceparent(trace: Pick<TraceContext, "traceId" | "flags">, spanId: string): string {
  return `00-${trace.traceId}-${spanId}-${trace.flags.toString(16).padStart(2, "0")}`;
}

/** The fields that carry a trace on, with `spanId` as the parent of what comes next. */
export function traceFields(trace: TraceContext, spanId: string): Field[] {
  const parent: Field = ["traceparent", traceparent(trace, spanId)];
  return trace.state === undefined ? [parent] : [parent, ["tracestate", trace.state]];
}

/** Whether a trace that begins here is recorded: the same answer everywhere for the same id. @param share 0 to 1 */
export function isSampled(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) / 2 ** 52 < share;
}

/** Section 3.3.1.3.1, with the wider keys of level 2; of a value no blank is the last. */
const MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;
/** Characters that must be passed on at least (section 3.3.1.5), and that are at most. */
const MOST_CHARACTERS = 512;
/** Members as long as these go first where it is too long. */
const LONG_MEMBER = 128;

/**
 * The value of `tracestate`, where it was repeated already joined by commas (RFC 9110 section 5.3). One that breaks the
 * rules, or has more than 32 members, is dropped whole; of a long one the long members go, then the last.
 */
export function readTracestate(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  let members = value
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MOST_MEMBERS) return undefined;
  if (!members.every((member) => MEMBER.test(member))) return undefined;
  const long = () => members.join(",").length > MOST_CHARACTERS;
  if (long()) members = members.filter((member) => member.length <= LONG_MEMBER);
  while (long()) members.pop();
  return members.length === 0 ? undefined : members.join(",");
}
