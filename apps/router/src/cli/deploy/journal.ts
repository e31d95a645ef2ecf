import { rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readIfThere, removeFile, replaceFile, stamp } from "./files.ts";
import { versionSchema } from "./version.ts";

export const PHASES = [
  "clean",
  "prepare",
  "start",
  "ready",
  "check",
  "targets",
  "switch",
  "verify",
  "record",
  "drain",
  "stop",
] as const;
export type PhaseName = (typeof PHASES)[number];

const schema = z.object({
  schema: z.literal(1),
  id: z.string(),
  /** The phase that was under way, or about to begin. */
  phase: z.enum(PHASES),
  /** True while it was being taken back. */
  undoing: z.boolean(),
  color: z.string(),
  /** The color that served when it began. */
  from: z.string(),
  version: versionSchema,
  /** What ran on `from`, if it is this machine's to stop and start. */
  old: versionSchema.optional(),
  /** What the router knew of the old version. */
  old_digest: z.string().nullable(),
  /** The idle color's targets before. */
  targets_before: z.array(z.string()),
  started: z.string(),
  pid: z.number(),
  user: z.string(),
  host: z.string(),
});
export type JournalEntry = z.infer<typeof schema>;

/** What a deploy is about to do, on the disk before it does it, so that whoever comes after a crash knows. */
export class Journal {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, "deploy.json");
  }

  /**
   * Undefined when no deploy was killed, or when its journal is damaged.
   * @param setAside whether a damaged one is renamed, so that it is not found again; `onDamage` is told its new name
   */
  async read({
    setAside,
    onDamage,
  }: {
    setAside: boolean;
    onDamage?: (aside: string) => void;
  }): Promise<JournalEntry | undefined> {
    const text = await readIfThere(this.path);
    if (text === undefined) return undefined;
    const entry = parseJson(text, schema);
    if (entry || !setAside) return entry;
    const aside = `${this.path}.damaged-${stamp()}`;
    await rename(this.path, aside);
    onDamage?.(aside);
    return undefined;
  }

  /** @throws CliError the disk is full, or the like */
  async write(entry: JournalEntry): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify(entry, null, 2)}\n`);
  }

  async remove(): Promise<void> {
    await removeFile(this.path);
  }
}

/** Undefined for what is no JSON or not as the schema says. */
export function parseJson<T>(text: string, wanted: z.ZodType<T>): T | undefined {
  try {
    return wanted.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
