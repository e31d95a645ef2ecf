import { tlsFault } from "./dialer.ts";

/** How one check ended. */
export interface CheckResult {
  readonly ok: boolean;
  /** For people: `200 OK`, `503 Service Unavailable`, `SERVING`, `no answer within 1s`, `connection refused`. */
  readonly detail: string;
  /** What the target says it serves, from `X-Model-Version` and `X-Model-Digest`. */
  readonly version: string | undefined;
  readonly digest: string | undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed without an answer",
  ENOTFOUND: "name not found",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ERR_NO_HTTP2: "what answers does not speak HTTP/2 inside TLS",
  ERR_HTTP2_ERROR: "what answers does not speak HTTP/2",
};
/** Identities come from a header, so they are bounded. */
const IDENTITY_LENGTH = 128;

export function failed(detail: string): CheckResult {
  return { ok: false, detail, version: undefined, digest: undefined };
}

/** What an answer's head says beside the verdict. */
export function identified(
  ok: boolean,
  detail: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): CheckResult {
  const identity = (name: string) => headers[name]?.toString().slice(0, IDENTITY_LENGTH);
  return { ok, detail, version: identity("x-model-version"), digest: identity("x-model-digest") };
}

/** Why there is no answer, for people. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  const { code = "", message } = error;
  if (/^ERR_HTTP2_(STREAM|SESSION)_ERROR$/.test(code)) return `refused over HTTP/2 (${ending(message)})`;
  return REASONS[code] ?? tlsFault(error) ?? message;
}

/** `Stream closed with error code NGHTTP2_CANCEL`: CANCEL. */
function ending(message: string): string {
  return message.replace(/^.* error code (NGHTTP2_)?/, "");
}
