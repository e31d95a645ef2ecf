import { request, STATUS_CODES } from "node:http";
import type { HealthConfig } from "../config/config.ts";
import { targetAddress } from "../core/target-address.ts";
import { type CheckResult, failed, identified, reasonOf } from "./check-result.ts";
import type { Dialer } from "./dialer.ts";
import { askHttp2 } from "./http2-question.ts";

type Headers = Parameters<typeof identified>[2];
const OWN = { "User-Agent": "sluice-check", Accept: "*/*" };

/**
 * One real request by the target's own protocol. Redirects are answers, and bodies are not read. Never rejects; an abort
 * ends it at once.
 */
export async function checkPath(
  dialer: Dialer,
  url: string,
  path: string,
  status: HealthConfig["status"],
  signal: AbortSignal,
): Promise<CheckResult> {
  try {
    if (targetAddress(url).protocol === "h2c") {
      const question = { method: "GET", path, headers: OWN, limit: 0 } as const;
      const answer = await askHttp2(dialer, url, question, signal);
      return judge(answer.status, answer.headers, status);
    }
    const answer = await askHttp1(dialer, url, path, signal);
    return judge(answer.status, answer.headers, status);
  } catch (error) {
    return failed(reasonOf(error as Error));
  }
}

/** Host and path apart: resolved against the URL, a path such as `//name/` would lead to another host. */
function askHttp1(
  dialer: Dialer,
  url: string,
  path: string,
  signal: AbortSignal,
): Promise<{ status: number; headers: Headers }> {
  const address = targetAddress(url);
  const { host, port, authority } = address;
  const headers = { ...OWN, Connection: "close", Host: authority };
  const createConnection = () => dialer.dial(address);
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path, signal, headers, createConnection });
    outgoing.on("response", (answer) => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
      outgoing.destroy();
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function judge(status: number, headers: Headers, ranges: HealthConfig["status"]): CheckResult {
  const ok = ranges.some(([low, high]) => status >= low && status <= high);
  return identified(ok, `${status} ${STATUS_CODES[status] ?? ""}`.trim(), headers);
}
