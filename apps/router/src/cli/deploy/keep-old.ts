import { spawn } from "node:child_process";
import type { Deployment } from "./deployment.ts";
import { entryScript } from "./entry.ts";
import { takeLock } from "./lock.ts";
import { RecordFile } from "./record.ts";
import { colorOf, type RouterControl } from "./router.ts";
import type { Slot } from "./slot.ts";

/** Leaves a process behind that stops the old version later, if nobody has needed it by then. */
export async function keepWarm({ id, settings, old }: Deployment, milliseconds: number): Promise<void> {
  const { RUNNER_TRACKING_ID: _, ...env } = process.env;
  const { args, env: secrets } = settings.reaper;
  const own = [
    old.color,
    id,
    "--folder",
    settings.folder,
    "--after",
    `${milliseconds}ms`,
    "--kind",
    old.version!.kind,
  ];
  const child = spawn(process.execPath, [entryScript(), "stop-old", ...own, ...args], {
    detached: true,
    stdio: "ignore",
    env: { ...env, ...secrets },
  });
  child.on("error", () => {}); // then it just stays warm, and the next deploy clears it away
  child.unref();
}

/** Stops a color that a deploy has kept warm, unless anything has changed since. @returns what was done, for a log */
export async function stopOld(
  { folder, color, id }: { folder: string; color: string; id: string },
  router: RouterControl,
  slot: Slot,
): Promise<string> {
  const lock = await takeLock(folder, `stop of ${color}, which was kept warm`);
  try {
    const file = new RecordFile(folder);
    const record = await file.read();
    if (!record || record.id !== id || record.serving === color) return `${color} is none of ${id} any more`;
    if (colorOf(await router.state(), color).weight > 0) return `${color} has weight, so it is left running`;
    const entry = record.colors[color];
    await slot.stop();
    if (entry)
      await file.write({ ...record, colors: { ...record.colors, [color]: { ...entry, running: false } } });
    return `${color} is stopped`;
  } finally {
    await lock.release();
  }
}
