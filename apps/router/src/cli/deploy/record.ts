import { join } from "node:path";
import { z } from "zod";
import { readIfThere, replaceFile } from "./files.ts";
import { parseJson } from "./journal.ts";
import { versionSchema } from "./version.ts";

const color = versionSchema.extend({
  at: z.string(),
  by: z.string(),
  /** False once a deploy has stopped it: a rollback starts it again. */
  running: z.boolean(),
});

const schema = z.object({
  schema: z.literal(1),
  /** The deploy that wrote it last. */
  id: z.string(),
  serving: z.string(),
  previous: z.string().nullable(),
  colors: z.record(z.string(), color),
});
export type DeployRecord = z.infer<typeof schema>;

/** What is deployed on each color, for rollbacks and later deploys. */
export class RecordFile {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, "deployed.json");
  }

  /** Undefined when there is none. A damaged one counts as none: the next deploy writes a new one. */
  async read(onDamage: (path: string) => void = () => {}): Promise<DeployRecord | undefined> {
    const text = await readIfThere(this.path);
    if (text === undefined) return undefined;
    const record = parseJson(text, schema);
    if (!record) onDamage(this.path);
    return record;
  }

  async write(record: DeployRecord): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify(record, null, 2)}\n`);
  }
}
