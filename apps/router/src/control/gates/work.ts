import { readFile } from "node:fs/promises";
import type { Config, GatesConfig } from "../../config/config.ts";
import type { RolloutContext } from "../rollout/ports.ts";
import { type AskTarget, GateError } from "./ask.ts";
import { type Offered, offeredBy, questionsOf } from "./model.ts";

/** Bytes of a file with a request or a schema. */
const LARGEST_FILE = 1024 * 1024;

export interface GatesOptions {
  /** In force now; a reload replaces it. */
  readonly config: () => Pick<Config, "gates" | "predictions">;
  readonly ask: AskTarget;
  /** What a target said of itself at its last check. */
  readonly lastCheck: (
    url: string,
  ) => { readonly version?: string | undefined; readonly digest?: string | undefined } | undefined;
}

/** What one gate works with. */
export interface Work {
  readonly options: GatesOptions;
  readonly settings: GatesConfig;
  readonly context: RolloutContext;
  readonly signal: AbortSignal;
}

/** The candidate's targets, or the stable color's. @throws GateError there is none */
export function targetsOf({ targets }: RolloutContext, color: string): readonly string[] {
  const all = targets(color);
  if (all.length === 0) throw new GateError(`${color} has no target`);
  return all;
}

export const count = ({ length }: readonly string[]) => (length === 1 ? "1 target" : `${length} targets`);

/** What a target offers at `gates.model`. */
export function offered({ options, settings, signal }: Work, url: string): Promise<Offered> {
  return offeredBy(options.ask, url, settings.model, signal);
}

/** What a target can be asked: the configured request, or its own golden rows. */
export async function questions(work: Work, url: string) {
  const { settings } = work;
  const request =
    settings.request === undefined ? undefined : await readText(settings.request, "gates.request");
  const { golden } = request === undefined ? await offered(work, url) : { golden: undefined };
  return questionsOf(settings.predict, request, golden);
}

/** What a gate without questions says. */
export const nothingToAsk = ({ model }: GatesConfig) =>
  `nothing to ask with: no golden rows at ${model}, and gates.request names no file`;

/** A file of JSON that the configuration names under `key`. @throws GateError */
export async function readText(path: string, key: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new GateError(`${key}: ${path} cannot be read (${error.code})`);
  });
  if (text.length > LARGEST_FILE) throw new GateError(`${key}: ${path} is larger than 1 MiB`);
  try {
    JSON.parse(text);
  } catch {
    throw new GateError(`${key}: ${path} is not JSON`);
  }
  return text;
}
