import type { HealthConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { type CheckResult, failed, reasonOf } from "./check-result.ts";
import { Dialer } from "./dialer.ts";
import type { checkGrpc } from "./grpc-check.ts";
import { checkPath } from "./path-check.ts";

export type ProbeConfig = Pick<HealthConfig, "path" | "grpc" | "timeout" | "status">;
/** Makes one check. Never rejects; an abort ends it at once. */
export type Probe = (url: string, config: ProbeConfig, signal: AbortSignal) => Promise<CheckResult>;

/**
 * Asks for the path, the gRPC service or both at once, each on a connection of its own: a connection that is kept alive
 * would not notice that nobody accepts new ones. The time-out covers connecting and the answer.
 */
export function targetProbe(clock: Clock, dialer = new Dialer()): Probe {
  return async (url, config, signal) => {
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    const late = Promise.withResolvers<CheckResult>();
    const cancel = clock.after(config.timeout, () =>
      late.resolve(failed(`no answer within ${seconds(config.timeout)}`)),
    );
    const parts = checks(dialer, url, config, stop.signal).map((check) =>
      Promise.race([check, late.promise]),
    );
    const results = await Promise.all(parts);
    cancel();
    abort();
    signal.removeEventListener("abort", abort);
    return together(results);
  };
}

function checks(
  dialer: Dialer,
  url: string,
  { path, grpc, timeout, status }: ProbeConfig,
  signal: AbortSignal,
): Promise<CheckResult>[] {
  const all: Promise<CheckResult>[] = [];
  if (path !== undefined) all.push(checkPath(dialer, url, path, status, signal));
  if (grpc !== undefined) all.push(checkService(dialer, url, grpc, timeout, signal));
  return all;
}

/** Few services are asked by gRPC, so its messages' code is only loaded for those. */
async function checkService(...question: Parameters<typeof checkGrpc>): Promise<CheckResult> {
  try {
    const grpc = await import("./grpc-check.ts");
    return await grpc.checkGrpc(...question);
  } catch (error) {
    return failed(`gRPC: ${reasonOf(error as Error)}`); // the program's files are gone
  }
}

/** All have to pass; what failed is what is said. */
function together(results: readonly CheckResult[]): CheckResult {
  const bad = results.filter(({ ok }) => !ok);
  const detail = [...new Set((bad.length > 0 ? bad : results).map((each) => each.detail))].join(", ");
  const version = results.find((each) => each.version !== undefined)?.version;
  const digest = results.find((each) => each.digest !== undefined)?.digest;
  return { ok: bad.length === 0, detail, version, digest };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}
