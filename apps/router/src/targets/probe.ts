import { type ClientRequest, type IncomingMessage, request, STATUS_CODES } from "node:http";
import type { HealthConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { targetAddress } from "../core/target-address.ts";
import { Dialer, tlsFault } from "./dialer.ts";

/** How one check ended. */
export interface CheckResult {
  readonly ok: boolean;
  /** For people: `200 OK`, `503 Service Unavailable`, `no answer within 1s`, `connection refused`. */
  readonly detail: string;
  /** What the target says it serves, from `X-Model-Version` and `X-Model-Digest`. */
  readonly version: string | undefined;
  readonly digest: string | undefined;
}

export type ProbeConfig = Pick<HealthConfig, "path" | "timeout" | "status">;
/** Makes one check. Never rejects; an abort ends it at once. */
export type Probe = (url: string, config: ProbeConfig, signal: AbortSignal) => Promise<CheckResult>;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed without an answer",
  ENOTFOUND: "name not found",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
};
/** Identities come from a header, so they are bounded. */
const IDENTITY_LENGTH = 128;

/**
 * One real HTTP request on a connection of its own: a connection that is kept alive would not notice that nobody
 * accepts new ones. The time-out covers connecting and the answer's head; redirects are answers, and bodies are not read.
 */
export function httpProbe(clock: Clock, dialer = new Dialer()): Probe {
  return (url, config, signal) =>
    new Promise((resolve) => {
      const outgoing = begin(url, config.path, signal, dialer);
      const end = (result: CheckResult) => {
        cancel();
        resolve(result);
        outgoing.destroy();
      };
      const cancel = clock.after(config.timeout, () =>
        end(failed(`no answer within ${seconds(config.timeout)}`)),
      );
      outgoing.on("response", (answer) => end(judge(answer, config)));
      outgoing.on("error", (error: NodeJS.ErrnoException) =>
        end(failed(REASONS[error.code ?? ""] ?? tlsFault(error) ?? error.message)),
      );
      outgoing.end();
    });
}

/** Host and path apart: resolved against the URL, a path such as `//name/` would lead to another host. */
function begin(url: string, path: string, signal: AbortSignal, dialer: Dialer): ClientRequest {
  const address = targetAddress(url);
  const { host, port, authority } = address;
  const headers = { "User-Agent": "sluice-check", Accept: "*/*", Connection: "close", Host: authority };
  return request({ host, port, path, signal, headers, createConnection: () => dialer.dial(address) });
}

function judge(answer: IncomingMessage, { status: ranges }: ProbeConfig): CheckResult {
  const status = answer.statusCode ?? 0;
  const ok = ranges.some(([low, high]) => status >= low && status <= high);
  const identity = (name: string) => answer.headers[name]?.toString().slice(0, IDENTITY_LENGTH);
  return {
    ok,
    detail: `${status} ${STATUS_CODES[status] ?? ""}`.trim(),
    version: identity("x-model-version"),
    digest: identity("x-model-digest"),
  };
}

export function failed(detail: string): CheckResult {
  return { ok: false, detail, version: undefined, digest: undefined };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}
