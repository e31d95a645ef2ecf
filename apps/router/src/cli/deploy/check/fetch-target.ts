import { Dialer } from "../../../targets/dialer.ts";
import { askHttp2 } from "../../../targets/http2-question.ts";

/** Bytes of an answer to a deploy's questions; golden rows are the longest. */
const LIMIT = 16 * 1024 * 1024;

export interface FetchInit {
  readonly signal: AbortSignal;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `fetch` that does not follow redirects, also of a target that speaks HTTP/2 alone (`h2c://`). */
export async function fetchTarget(url: string, init: FetchInit): Promise<Response> {
  if (!url.startsWith("h2c:")) return fetch(url, { ...init, redirect: "manual" });
  const { signal, method = "GET", body } = init;
  const { Connection: _, ...headers } = init.headers ?? {}; // each has one of its own
  const { pathname, search } = new URL(url);
  const question = {
    method,
    path: `${pathname}${search}`,
    headers,
    limit: LIMIT,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  };
  const answer = await askHttp2(new Dialer(), url, question, signal).catch((error) => {
    signal.throwIfAborted();
    throw new TypeError("fetch failed", { cause: error }); // in fetch's own words
  });
  const fields = Object.entries(answer.headers).filter(([name]) => !name.startsWith(":"));
  const known = fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return new Response(answer.body.length > 0 ? new Uint8Array(answer.body) : null, {
    status: answer.status,
    headers: known as [string, string][],
  });
}
