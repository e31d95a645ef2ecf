import type { CheckResult } from "../../src/targets/check-result.ts";
import type { Probe } from "../../src/targets/probe.ts";

export const passed: CheckResult = { ok: true, detail: "200 OK", version: undefined, digest: undefined };
export const refused: CheckResult = { ...passed, ok: false, detail: "connection refused" };

/** Checks that end as a test says, by URL; all pass at first. */
export class FakeProbe {
  readonly results = new Map<string, CheckResult>();
  readonly calls: string[] = [];
  readonly probe: Probe = async (url) => {
    this.calls.push(url);
    return this.results.get(url) ?? passed;
  };

  down(...urls: string[]): void {
    for (const url of urls) this.results.set(url, refused);
  }
  up(...urls: string[]): void {
    for (const url of urls) this.results.delete(url);
  }
}
