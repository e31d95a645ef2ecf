import { readdirSync } from "node:fs";
import type { Config } from "../../src/config/config.ts";
import type { Served } from "../../src/core/feedback/served.ts";
import { testPlane } from "./control-plane.ts";

export const HOUR = 3_600_000;
export const feedback: Config["feedback"] = { remember: 24 * HOUR, max: 1000, sample: 1 };
const START = Date.parse("2026-11-21T12:00:00Z");

/** A request that the data plane answered. */
export const served = (id: string, more: Partial<Served> = {}): Served => ({
  id,
  at: START,
  color: "blue",
  digest: "sha256:a",
  predictions: [10],
  ...more,
});

/** A control plane whose data plane has answered some requests. */
export async function remembering(changes: Partial<Config>, ...all: Served[]) {
  const parts = await testPlane({ feedback, ...changes });
  const answer = (...more: Served[]) => {
    parts.channel.set({ worker: 0, epoch: 1, colors: {}, connections: 0, served: more });
    parts.channel.report();
  };
  answer(...all);
  const send = (body: unknown) => parts.call("POST", "/feedback", body);
  const versions = async () => (await parts.call("GET", "/admin/feedback")).body.versions;
  return { ...parts, answer, send, versions };
}

/** The files that keep what is remembered. */
export const journals = (folder: string) =>
  readdirSync(folder).filter((name) => name.startsWith("feedback-"));
