import type { ColorState, State } from "../admin-types.ts";
import { CliError } from "../errors.ts";
import { formatWeights } from "../format.ts";
import type { Old } from "./deployment.ts";
import type { Driver } from "./driver.ts";
import { LocalSlot } from "./local/slot.ts";
import type { DeployRecord } from "./record.ts";
import { colorOf, soleColor, weightsOf } from "./router.ts";
import type { Slot } from "./slot.ts";

/**
 * The color that serves and the one to deploy to: the idle one, and of several rather one that is no standby.
 * @param wanted the color that was asked for
 * @throws CliError there is none, or the one that was asked for has weight
 */
export function chooseColors(
  state: State,
  wanted: string | undefined,
): { readonly color: ColorState; readonly from: ColorState } {
  const from = soleColor(state);
  if (!from) {
    const heaviest = state.colors.toSorted((a, b) => b.weight - a.weight)[0]?.name ?? "blue";
    throw new CliError(
      `no color is idle that a version could be deployed to, with one other that serves: ${formatWeights(weightsOf(state))}. Give all weight to one first: \`sluice flip ${heaviest} --wait\`.`,
    );
  }
  if (wanted !== undefined) {
    const color = colorOf(state, wanted);
    if (color.weight === 0) return { color, from };
    throw new CliError(
      `${wanted} serves (${formatWeights(weightsOf(state))}), so nothing can be deployed to it; choose another color, or move its weight first: \`sluice flip COLOR --wait\`.`,
    );
  }
  const idle = state.colors.filter(({ weight }) => weight === 0);
  const color = idle.find(({ name }) => name !== state.standby) ?? idle[0];
  if (color) return { color, from };
  throw new CliError(`${from.name} is the router's only color; a deploy needs a second one.`);
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

/** Whether clients can reach the router there at all: to find that out after the switch would be late. @throws CliError */
export async function mustAnswer(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: "manual" }).catch(
    ({ name, cause, message }: Error & { cause?: NodeJS.ErrnoException }) => {
      const why = name === "TimeoutError" ? "nothing within 5 s" : (cause?.code ?? message);
      throw new CliError(
        `nothing answers at ${url} (${why}), where the deploy is verified from outside; name the address of the router's clients with --url.`,
      );
    },
  );
  await response.body?.cancel();
}
