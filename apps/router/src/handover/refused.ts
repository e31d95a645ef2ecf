import { readFileSync } from "node:fs";

/** PID 1 of containers that were started with an init: when its child ends, so does it. */
const INITS = ["tini", "docker-init", "dumb-init", "catatonit", "podman-init"];

const INSTEAD = "replace the container instead, for example with `docker compose up -d router`.";

export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  /** The name of process 1; undefined where nobody can tell. */
  readonly init: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Why this process must not be followed by another, in a sentence; undefined where it may. */
export function whyNoSuccessor(
  { pid, ppid, init, env }: ProcessFacts = factsOfThisProcess(),
): string | undefined {
  if (pid === 1)
    return `An upgrade is refused: this router is process 1 of its container, which would end with it; ${INSTEAD}`;
  if (ppid === 1 && init !== undefined && INITS.includes(init))
    return `An upgrade is refused: this router is the child of ${init}, which would end the container with it; ${INSTEAD}`;
  const supervisor = env.SLUICE_SUPERVISOR;
  if (supervisor)
    return `An upgrade is refused: ${supervisor} would start this router again when it ends, beside its successor; restart it there instead.`;
  return undefined;
}

function factsOfThisProcess(): ProcessFacts {
  return { pid: process.pid, ppid: process.ppid, init: nameOfInit(), env: process.env };
}

function nameOfInit(): string | undefined {
  try {
    return readFileSync("/proc/1/comm", "utf8").trim();
  } catch {
    return undefined;
  }
}
