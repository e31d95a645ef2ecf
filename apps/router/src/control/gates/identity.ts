import type { RolloutContext } from "../rollout/ports.ts";
import { GateError } from "./ask.ts";
import { count, offered, targetsOf, type Work } from "./work.ts";

/** All targets of the candidate are the version that the rollout is about, and that is not the stable color's. */
export async function identity(work: Work): Promise<string> {
  const { options, settings, context } = work;
  const { candidate, stable } = context;
  if (candidate.digest === stable.digest) {
    throw new GateError(
      `${candidate.color} runs what ${stable.color} runs (${candidate.digest}); expected another version`,
    );
  }
  const targets = targetsOf(context, candidate.color);
  for (const url of targets) {
    const checked = options.lastCheck(url);
    mustBe(url, "says at its checks", checked ?? {}, candidate, true);
    mustBe(url, `says at ${settings.model}`, await offered(work, url), candidate, false);
  }
  return `${count(targets)} of ${candidate.color} ${targets.length === 1 ? "is" : "are"} ${candidate.version || "unnamed"}, ${candidate.digest}`;
}

function mustBe(
  url: string,
  says: string,
  { version, digest }: { readonly version?: string | undefined; readonly digest?: string | undefined },
  wanted: RolloutContext["candidate"],
  always: boolean,
): void {
  const found = digest ?? (always ? "nothing" : wanted.digest);
  if (found !== wanted.digest)
    throw new GateError(`${url} ${says} that it has the digest ${found}; expected ${wanted.digest}`);
  if (version !== undefined && version !== wanted.version) {
    throw new GateError(`${url} ${says} that it is version ${version}; expected ${wanted.version}`);
  }
}
