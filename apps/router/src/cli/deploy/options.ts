import { resolve } from "node:path";
import { parseDuration } from "../../config/units.ts";
import { usageError } from "../errors.ts";
import { readPlan } from "../rollout/plan.ts";
import { byRollout } from "./by-rollout.ts";
import { PULL_POLICIES } from "./compose/driver.ts";
import type { DeploySettings } from "./deployment.ts";
import { atOnce, inSteps, type Switch } from "./switch.ts";

/** The options of `sluice deploy` as they were typed. */
export interface DeployFlags {
  readonly image?: string;
  readonly artifact?: string;
  readonly expectDigest?: string;
  readonly expectVersion?: string;
  readonly keepOld?: string;
  readonly dryRun?: boolean;
  readonly steps?: string;
  readonly stepFor: string;
  /** A plan's file; true where none is named. */
  readonly rollout?: string | true;
  readonly timeout: string;
  readonly drainTimeout: string;
  readonly warmP95: string;
  readonly requests: string;
  readonly color?: string;
  readonly port?: string;
  readonly server?: string;
  readonly file: string;
  readonly service: string;
  readonly pull: string;
  readonly url?: string;
  readonly folder?: string;
  readonly reason?: string;
}

export const DEFAULT_URL = "http://127.0.0.1:8080";
export const DEFAULT_FOLDER = "var/deploy";

/** @throws CliError of usage: the first value that cannot be used, and what was expected */
export function readSettings(flags: DeployFlags, env: NodeJS.ProcessEnv): Omit<DeploySettings, "reaper"> {
  const ref = flags.image ?? flags.artifact;
  if (ref === undefined || (flags.image !== undefined && flags.artifact !== undefined)) {
    throw usageError("expected what to deploy: either --image REF or --artifact FILE.");
  }
  const timeout = duration("--timeout", flags.timeout);
  return {
    folder: folderOf(flags.folder, env),
    url: urlOf(flags.url, env),
    requests: count("--requests", flags.requests),
    expectVersion: flags.expectVersion,
    expectDigest: digest(flags.expectDigest),
    warm: { p95: duration("--warm-p95", flags.warmP95), timeout },
    switch: switchOf(flags),
    timeout,
    drainTimeout: duration("--drain-timeout", flags.drainTimeout),
    keepOld: flags.keepOld === undefined ? undefined : duration("--keep-old", flags.keepOld),
    reason: flags.reason ?? `deploy ${ref}`,
  };
}

export const folderOf = (given: string | undefined, env: NodeJS.ProcessEnv): string =>
  resolve(given ?? (env.SLUICE_DEPLOY_FOLDER || DEFAULT_FOLDER));

export function urlOf(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const text = given ?? (env.SLUICE_URL || DEFAULT_URL);
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw usageError(
      `the router's address is ${JSON.stringify(text)}; expected a URL such as ${DEFAULT_URL}.`,
    );
  }
  return text.replace(/\/+$/, "");
}

export function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw usageError(`--port is ${JSON.stringify(text)}; expected a whole number from 1 to 65535.`);
}

export function pullOf(text: string): (typeof PULL_POLICIES)[number] {
  const found = PULL_POLICIES.find((policy) => policy === text);
  if (found) return found;
  throw usageError(`--pull is ${JSON.stringify(text)}; expected ${PULL_POLICIES.join(", ")}.`);
}

/** What Docker takes for the reference of an image; nothing that a shell or a `.env` file would have to quote. */
export function imageOf(text: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9._:/@+-]{0,254}$/.test(text)) return text;
  throw usageError(
    `--image is ${JSON.stringify(text)}; expected an image's reference, such as ghcr.io/you/sluice-api:1.0.1.`,
  );
}

export function duration(option: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw usageError(`${option} is ${JSON.stringify(text)}; ${(error as Error).message}.`);
  }
}

function digest(text: string | undefined): string | undefined {
  if (text === undefined || /^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw usageError(
    `--expect-digest is ${JSON.stringify(text)}; expected sha256: and 64 hexadecimal digits, as \`GET /model\` shows them.`,
  );
}

function count(option: string, text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw usageError(`${option} is ${JSON.stringify(text)}; expected a whole number from 1 to 99999.`);
}

function switchOf({ steps, stepFor, rollout }: DeployFlags): Switch {
  const each = duration("--step-for", stepFor);
  if (rollout !== undefined) {
    if (steps === undefined) return byRollout(rollout === true ? {} : readPlan(rollout));
    throw usageError("--steps and --rollout are both given; a rollout's steps stand in its plan.");
  }
  if (steps === undefined) return atOnce;
  const percents = steps
    .split(",")
    .map((text) => (/^ *\d{1,3}(\.\d{1,2})? *$/.test(text) ? Number(text) : Number.NaN));
  const rising = percents.every((percent, i) => percent > (percents[i - 1] ?? 0));
  if (rising && percents.at(-1) === 100) return inSteps({ steps: percents, each });
  throw usageError(
    `--steps is ${JSON.stringify(steps)}; expected rising percentages of which the last is 100, such as 5,25,50,100.`,
  );
}
