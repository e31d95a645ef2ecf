import { type Deployment, versionOf } from "./deployment.ts";
import { removeFile } from "./files.ts";
import { self } from "./lock.ts";
import type { DeployRecord } from "./record.ts";
import type { Phase } from "./runner.ts";

/** Writes what is deployed, before the old version is drained: a crash from here on leaves the new one in place. */
export function publishRecord(deploy: Deployment): Phase {
  const { driver, color, record } = deploy;
  let unpublish = async () => {};
  const where = driver.publishes(color);
  return {
    name: "record",
    title: `write what is deployed${where ? `: ${where}` : ""}`,
    async run({ note }) {
      await record.write(recordOf(deploy, true));
      unpublish = await driver.publish(color, versionOf(deploy), note);
    },
    async undo() {
      await unpublish();
      const before = recordBefore(deploy);
      await (before ? record.write(before) : removeFile(record.path));
    },
  };
}

/** Notes that the old version does not run any more, so that a rollback knows that it has to start it. */
export const stopInRecord = (deploy: Deployment): Promise<void> =>
  deploy.record.write(recordOf(deploy, false));

function recordOf(deploy: Deployment, oldRuns: boolean): DeployRecord {
  const { id, color, old, recordBefore: before } = deploy;
  const { user, host } = self();
  const at = new Date().toISOString();
  const entry = { ...versionOf(deploy), at, by: `${user}@${host}`, running: true };
  const known = before?.colors[old.color];
  const oldEntry = old.version && { ...(known ?? { at, by: "unknown" }), ...old.version, running: oldRuns };
  return {
    schema: 1,
    id,
    serving: color,
    previous: old.color,
    colors: { ...before?.colors, ...(oldEntry ? { [old.color]: oldEntry } : {}), [color]: entry },
  };
}

/** What was deployed before this deploy, also where a killed one has already written over it. */
function recordBefore({ id, recordBefore: before, old, color }: Deployment): DeployRecord | undefined {
  if (before?.id !== id) return before;
  const { [color]: _, ...colors } = before.colors;
  return { ...before, serving: old.color, previous: null, colors };
}
