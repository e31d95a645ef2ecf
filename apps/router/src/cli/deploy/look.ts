import { setTimeout as pause } from "node:timers/promises";
import type { ColorState, State } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { formatWeights } from "../format.ts";
import type { Old } from "./deployment.ts";
import type { Driver } from "./driver.ts";
import { LocalSlot } from "./local/slot.ts";
import type { DeployRecord } from "./record.ts";
import { colorOf, weightsOf } from "./router.ts";
import type { Slot } from "./slot.ts";

/**
 * The color that serves and the one to deploy to: the idle one, and of several rather one that is no standby.
 * @param wanted the color that was asked for; if it serves beside one other, its requests go to that one first
 * @throws CliError there is none
 */
export function chooseColors(
  state: State,
  wanted: string | undefined,
): { readonly color: ColorState; readonly from: ColorState } {
  const serving = state.colors.filter(({ weight, name }) => weight > 0 && name !== wanted);
  const [from] = serving;
  if (!from)
    throw new CliError(`${wanted} has all weight, so nothing can be deployed to it; expected another color.`);
  if (serving.length > 1) throw new CliError(notIdle(state, from.name, serving[1]!.name));
  if (wanted !== undefined) return { color: colorOf(state, wanted), from };
  const idle = state.colors.filter(({ weight }) => weight === 0);
  const color = idle.find(({ name }) => name !== state.standby) ?? idle[0];
  if (color) return { color, from };
  throw new CliError(`${from.name} is the router's only color; a deploy needs a second one.`);
}

function notIdle(state: State, one: string, other: string): string {
  return `several colors serve (${formatWeights(weightsOf(state))}), so none is idle that a version could be deployed to; give all weight to one first with \`sluice flip ${one}\`, or name the one to replace with --color ${other}.`;
}

/** What serves now, and whether it is this machine's to stop. */
export async function lookAtOld(
  color: ColorState,
  { driver, folder, record }: { driver: Driver; folder: string; record: DeployRecord | undefined },
): Promise<Old> {
  const up = color.targets.find(({ health }) => health === "up");
  const facts = {
    color: color.name,
    digest: up?.digest ?? null,
    healthy: up !== undefined,
  };
  const slots: Slot[] = [new LocalSlot(folder, color.name)];
  if (driver.kind !== "artifact") slots.push(driver.slot(color.name));
  for (const slot of slots) {
    const found = await slot.running();
    if (!found) continue;
    const known = record?.colors[color.name];
    const same = known && known.kind === found.kind && known.image_id === found.image_id;
    const version = { ...found, ref: same ? known.ref : found.ref };
    const targets = color.targets.map(({ url }) => url);
    const told = {
      version: version.version ?? up?.version ?? null,
      digest: version.digest ?? up?.digest ?? null,
    };
    return { ...facts, slot, version: { ...version, ...told, targets } };
  }
  return { ...facts, slot: undefined, version: undefined };
}

/** Milliseconds that a router which has only just started may take to open its port. */
const OPENING = 5_000;

/** Whether clients can reach the router there at all: to find that out after the switch would be late. @throws CliError */
export async function mustAnswer(url: string): Promise<void> {
  const deadline = performance.now() + OPENING;
  for (;;) {
    const why = await whyNoAnswer(url);
    if (why === undefined) return;
    if (why !== "ECONNREFUSED" || performance.now() >= deadline) {
      throw new CliError(
        `nothing answers at ${url} (${why}), where the deploy is verified from outside; name the address of the router's clients with --url.`,
      );
    }
    await pause(100);
  }
}

async function whyNoAnswer(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(OPENING), redirect: "manual" });
    await response.body?.cancel();
    return undefined;
  } catch (error) {
    const { name, cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return name === "TimeoutError" ? `nothing within ${OPENING / 1000} s` : (cause?.code ?? message);
  }
}
