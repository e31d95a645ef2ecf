import { type Field, joined } from "./forwarding.ts";

/** Why a request is refused before it gets a color. */
export interface Refusal {
  readonly status: 400 | 405 | 413 | 431 | 501;
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

const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)$/i;
/** uri-host [":" port] of RFC 9110 section 7.2: a registered name, an IPv4 address, or an IP literal. */
const HOST = /^(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})+)(?::\d{0,5})?$/i;

/**
 * What RFC 9112 sections 3.2 and 6 leave in doubt is refused; everything else is reduced to a path and a host.
 */
export function admit(head: Head, limits: HeadLimits): Admitted | Refusal {
  if (head.fields.length > limits.headers) return tooManyFields(limits.headers);
  if (REFUSED_METHODS.has(head.method)) return methodRefused(head.method);
  const framing = framingFault(head) ?? lengthFault(head, limits.body);
  if (framing) return framing;
  const hosts = head.fields.filter(([name]) => name.toLowerCase() === "host");
  if (hosts.length > 1) return bad("The request has more than one Host field.");
  const host = hosts[0]?.[1];
  if (host === undefined && head.httpVersion !== "1.0") return bad("The request has no Host field.");
  if (host !== undefined && host !== "" && !HOST.test(host))
    return bad("The Host field is not a valid host.");
  return readTarget(head, host ?? "");
}

/** @returns true where {@link admit} refused. */
export function isRefusal(result: Admitted | Refusal): result is Refusal {
  return "status" in result;
}

function readTarget(head: Head, host: string): Admitted | Refusal {
  const { target, method } = head;
  if (target.includes("#")) return bad("The request target has a fragment.");
  if (target.startsWith("/")) return { path: target, host };
  if (target === "*") return method === "OPTIONS" ? { path: "*", host } : bad("Only OPTIONS may ask for *.");
  const absolute = ABSOLUTE.exec(target);
  if (!absolute || !HOST.test(absolute[1]!)) return bad("The request target is not a valid path or URL.");
  const rest = absolute[2]!;
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host: absolute[1]! };
}

function framingFault(head: Head): Refusal | undefined {
  const coding = joined(head.fields, "transfer-encoding");
  if (coding === undefined) return undefined;
  if (head.httpVersion === "1.0") return bad("HTTP/1.0 has no Transfer-Encoding.");
  if (joined(head.fields, "content-length") !== undefined) {
    return bad("The request has both Content-Length and Transfer-Encoding.");
  }
  if (coding.trim().toLowerCase() === "chunked") return undefined;
  if (/chunked\s*$/i.test(coding) && !/chunked.*chunked/i.test(coding)) {
    return {
      status: 501,
      title: "Not Implemented",
      detail: "The only transfer coding understood here is chunked.",
    };
  }
  return bad("The request's Transfer-Encoding does not end in a single chunked.");
}

function lengthFault(head: Head, limit: number): Refusal | undefined {
  const lengths = head.fields.filter(([name]) => name.toLowerCase() === "content-length");
  if (lengths.length === 0) return undefined;
  if (lengths.length > 1 || !/^\d+$/.test(lengths[0]![1]))
    return bad("The Content-Length is not one number.");
  return Number(lengths[0]![1]) > limit ? tooLarge(limit) : undefined;
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

function methodRefused(method: string): Refusal {
  return {
    status: 405,
    title: "Method Not Allowed",
    detail: `${method} is not relayed.`,
    fields: [["Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]],
  };
}

function bad(detail: string): Refusal {
  return { status: 400, title: "Bad Request", detail };
}
