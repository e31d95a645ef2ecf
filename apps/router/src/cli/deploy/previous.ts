import type { AdminClient } from "../admin-client.ts";
import type { State } from "../admin-types.ts";
import type { Driver } from "./driver.ts";
import { type Lock, takeLock } from "./lock.ts";
import { untilReady, untilSeen } from "./ready.ts";
import { type DeployRecord, RecordFile } from "./record.ts";
import { colorOf, RouterControl } from "./router.ts";
import type { Version } from "./version.ts";

export interface PreviousParts {
  readonly folder: string;
  readonly client: AdminClient;
  readonly driverFor: (which: Pick<Version, "kind" | "ref">) => Promise<Driver>;
  /** Milliseconds. */
  readonly timeout: number;
  readonly note: (text: string) => void;
}

/** Lines of its log that are shown when it does not get ready. */
const LINES = 5;

/**
 * Before a rollback: starts the previous version again if a deploy has stopped it, and waits until the router sees it
 * healthy. Never throws, because nothing may hold back a rollback.
 * @returns why it does not run, in a sentence without its end; undefined when there is nothing to say
 */
export async function startPrevious(parts: PreviousParts): Promise<string | undefined> {
  let color = "the previous version";
  let lock: Lock | undefined;
  try {
    const record = await new RecordFile(parts.folder).read((path) =>
      parts.note(`the record ${path} is damaged`),
    );
    if (!record?.previous) return undefined;
    color = record.previous;
    const router = new RouterControl(parts.client);
    const version = mustStart(record, await router.look());
    if (!version || (await router.isRolledBack())) return undefined;
    lock = await takeLock(parts.folder, `rollback to ${color}`);
    await bring(color, version, router, parts);
    return undefined;
  } catch (error) {
    return `${color} could not be started again: ${(error as Error).message.replace(/\.$/, "")}`;
  } finally {
    await lock?.release().catch(() => {});
  }
}

/** The previous version, if a rollback leads to it and the router does not see it healthy. */
function mustStart({ previous, serving, colors }: DeployRecord, state: State): Version | undefined {
  const known = state.colors.map(({ name }) => name);
  if (!previous || !known.includes(previous) || !known.includes(serving)) return undefined;
  if (colorOf(state, previous).weight > 0 && colorOf(state, serving).weight === 0) return undefined;
  if (colorOf(state, previous).targets.some(({ health }) => health === "up")) return undefined;
  return colors[previous];
}

async function bring(
  color: string,
  version: Version,
  router: RouterControl,
  { driverFor, timeout, note }: PreviousParts,
): Promise<void> {
  const { signal } = new AbortController();
  const slot = (await driverFor(version)).slot(color);
  if (!(await slot.running())) {
    note(`starting ${version.ref} on ${color} again`);
    await slot.start(version, signal);
  }
  await untilReady(slot, version.targets, { signal, timeout }).catch(async (error) => {
    for (const line of await slot.lastLines(LINES)) note(line);
    throw error;
  });
  if (colorOf(await router.look(), color).targets.length === 0)
    await router.targets(color, version.targets, { reason: "rollback", signal });
  await untilSeen(router, color, { signal, timeout });
}

/** After a rollback: what was previous serves, and runs. */
export async function recordRollback(folder: string, client: AdminClient): Promise<void> {
  const file = new RecordFile(folder);
  const record = await file.read();
  if (!record?.previous) return;
  const state = await new RouterControl(client).state();
  if (colorOf(state, record.previous).weight === 0) return;
  const { serving, previous, colors } = record;
  const entry = colors[previous];
  const now = entry ? { ...colors, [previous]: { ...entry, running: true } } : colors;
  await file.write({ ...record, serving: previous, previous: serving, colors: now });
}
