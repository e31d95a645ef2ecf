import { withoutBlanks } from "./blanks.ts";
import type { Field } from "./forwarding.ts";

/** Why a request is refused before it gets a color. */
export interface Refusal {
  readonly status: 400 | 405 | 413 | 417 | 431 | 501 | 505;
  readonly title: string;
  readonly detail: string;
  /** Further response fields. */
  readonly fields?: readonly Field[];
}

export interface Admitted {
  /** Path and query in origin form, byte for byte, or `*`. */
  readonly path: string;
  /** What `Host` says to the upstream: the target's authority where the target is in absolute form. */
  readonly host: string;
}

export interface Head {
  readonly method: string;
  /** The request target as it was sent. */
  readonly target: string;
  readonly fields: readonly Field[];
  readonly httpVersion: string;
}

export interface HeadLimits {
  /** Number of header fields. */
  readonly headers: number;
  /** Bytes of a body. */
  readonly body: number;
}

/** The fields on which framing and routing hang; each appearance is one element. */
interface Survey {
  readonly hosts: string[];
  readonly lengths: string[];
  readonly codings: string[];
  readonly expectations: string[];
}

const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);
const STANDARD_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "CONNECT",
  "TRACE",
]);
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)$/i;
/** uri-host [":" port] of RFC 9110 section 7.2: a registered name, an IPv4 address, or an IP literal. */
const HOST = /^(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})+)(?::(\d{0,5}))?$/i;
/** RFC 3986 knows only these; what other octets mean, two servers may read differently. */
const GRAPHIC = /^[\x21-\x7e]+$/;

/**
 * What RFC 9112 sections 3.2 and 6 leave in doubt is refused; everything else is reduced to a path and a host.
 */
export function admit(head: Head, limits: HeadLimits): Admitted | Refusal {
  if (head.httpVersion !== "1.1" && head.httpVersion !== "1.0") return versionRefused();
  if (head.fields.length > limits.headers) return tooManyFields(limits.headers);
  if (REFUSED_METHODS.has(head.method)) return methodRefused(head.method);
  if (looksStandard(head.method)) return methodUnknown(head.method);
  const survey = surveyOf(head.fields);
  const framing = framingFault(head, survey) ?? lengthFault(survey.lengths, limits.body);
  if (framing) return framing;
  const { hosts } = survey;
  if (hosts.length > 1) return bad("The request has more than one Host field.");
  const host = hosts[0];
  if (host === undefined && head.httpVersion !== "1.0") return bad("The request has no Host field.");
  if (host !== undefined && host !== "" && !isHost(host)) return bad("The Host field is not a valid host.");
  const read = readTarget(head, host ?? "");
  return isRefusal(read) ? read : (expectationFault(head, survey.expectations) ?? read);
}

/** @returns true where {@link admit} refused. */
export function isRefusal(result: Admitted | Refusal): result is Refusal {
  return "status" in result;
}

function surveyOf(fields: readonly Field[]): Survey {
  const survey: Survey = { hosts: [], lengths: [], codings: [], expectations: [] };
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "host") survey.hosts.push(value);
    else if (lower === "content-length") survey.lengths.push(value);
    else if (lower === "transfer-encoding") survey.codings.push(value);
    else if (lower === "expect") survey.expectations.push(value);
  }
  return survey;
}

function isHost(host: string): boolean {
  const match = HOST.exec(host);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}

function readTarget(head: Head, host: string): Admitted | Refusal {
  const { target, method } = head;
  if (!GRAPHIC.test(target)) return bad("The request target has octets that a URI cannot have.");
  if (target.includes("#")) return bad("The request target has a fragment.");
  if (target.startsWith("/")) return { path: target, host };
  if (target === "*") return method === "OPTIONS" ? { path: "*", host } : bad("Only OPTIONS may ask for *.");
  const absolute = ABSOLUTE.exec(target);
  if (!absolute || !isHost(absolute[1]!)) return bad("The request target is not a valid path or URL.");
  const rest = absolute[2]!;
  // RFC 9112 section 3.2.4: OPTIONS for a whole server, in absolute form, is OPTIONS *.
  if (rest === "" && method === "OPTIONS") return { path: "*", host: absolute[1]! };
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host: absolute[1]! };
}

function framingFault(head: Head, { codings, lengths }: Survey): Refusal | undefined {
  if (codings.length === 0) return undefined;
  if (head.httpVersion === "1.0") return bad("HTTP/1.0 has no Transfer-Encoding.");
  if (lengths.length > 0) return bad("The request has both Content-Length and Transfer-Encoding.");
  const names = codings
    .join(",")
    .split(",")
    .map((name) => withoutBlanks(name).toLowerCase());
  if (names.length === 1 && names[0] === "chunked") return undefined;
  if (names.indexOf("chunked") === names.length - 1) {
    const detail = "The only transfer coding understood here is chunked.";
    return { status: 501, title: "Not Implemented", detail };
  }
  return bad("The request's Transfer-Encoding does not end in a single chunked.");
}

function lengthFault(lengths: readonly string[], limit: number): Refusal | undefined {
  if (lengths.length === 0) return undefined;
  if (lengths.length > 1 || !/^\d+$/.test(lengths[0]!)) return bad("The Content-Length is not one number.");
  return Number(lengths[0]) > limit ? tooLarge(limit) : undefined;
}

/** RFC 9110 section 10.1.1: an HTTP/1.0 client cannot expect anything. */
function expectationFault(head: Head, expectations: readonly string[]): Refusal | undefined {
  if (expectations.length === 0 || head.httpVersion === "1.0") return undefined;
  if (expectations.length === 1 && withoutBlanks(expectations[0]!).toLowerCase() === "100-continue")
    return undefined;
  const detail = "The only expectation understood here is 100-continue.";
  return { status: 417, title: "Expectation Failed", detail };
}

function tooLarge(limit: number): Refusal {
  return {
    status: 413,
    title: "Content Too Large",
    detail: `The request body is larger than limits.body allows (${limit} bytes).`,
  };
}

function tooManyFields(limit: number): Refusal {
  return {
    status: 431,
    title: "Request Header Fields Too Large",
    detail: `The request has more than ${limit} header fields (limits.headers).`,
  };
}

function versionRefused(): Refusal {
  const detail = "Only HTTP/1.1 and HTTP/1.0 are spoken here.";
  return { status: 505, title: "HTTP Version Not Supported", detail };
}

function methodRefused(method: string): Refusal {
  return {
    status: 405,
    title: "Method Not Allowed",
    detail: `${method} is not relayed.`,
    fields: [["Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]],
  };
}

/** Methods are case-sensitive (RFC 9110 section 9.1); `get` is another method, which some server takes for GET. */
function looksStandard(method: string): boolean {
  return !STANDARD_METHODS.has(method) && STANDARD_METHODS.has(method.toUpperCase());
}

function methodUnknown(method: string): Refusal {
  const detail = `${method} is no method known here; methods are case-sensitive.`;
  return { status: 501, title: "Not Implemented", detail };
}

function bad(detail: string): Refusal {
  return { status: 400, title: "Bad Request", detail };
}
