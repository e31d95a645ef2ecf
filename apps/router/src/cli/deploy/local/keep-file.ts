import { join } from "node:path";
import { z } from "zod";
import { readIfThere, removeFile, replaceFile } from "../files.ts";
import { parseJson } from "../journal.ts";
import { versionSchema } from "../version.ts";

/** What a keeper is to run. While the file says another id than the keeper's, or is gone, that keeper has to end. */
const orderSchema = z.object({ id: z.string(), color: z.string(), version: versionSchema });
export type Order = z.infer<typeof orderSchema>;

/** That a keeper runs, in its own words. */
const presenceSchema = z.object({
  id: z.string(),
  pid: z.number(),
  began: z.string(),
  version: versionSchema,
});
export type Presence = z.infer<typeof presenceSchema>;

/** The files of one color's processes, in the deploy folder. */
export class KeepFiles {
  readonly folder: string;
  readonly order: string;
  readonly presence: string;
  readonly log: string;

  constructor(folder: string, color: string) {
    this.folder = folder;
    this.order = join(folder, `${color}.order.json`);
    this.presence = join(folder, `${color}.process.json`);
    this.log = join(folder, `${color}.log`);
  }

  readOrder = () => readAs(this.order, orderSchema);
  readPresence = () => readAs(this.presence, presenceSchema);
  writeOrder = (order: Order) => replaceFile(this.order, JSON.stringify(order, null, 2));
  writePresence = (presence: Presence) => replaceFile(this.presence, JSON.stringify(presence, null, 2));
  removeOrder = () => removeFile(this.order);
  removePresence = () => removeFile(this.presence);
}

async function readAs<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : parseJson(text, schema);
}
