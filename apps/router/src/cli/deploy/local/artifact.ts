import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Artifact, parseArtifact } from "@sluice/model";
import { CliError } from "../../errors.ts";

/** Reads and proves an artifact. @throws CliError it is not there, or not one */
export async function readArtifact(path: string): Promise<Artifact> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "there is no such file" : (error.code ?? error.message);
    throw new CliError(`the artifact ${path} cannot be read: ${why}.`);
  });
  try {
    return parseArtifact(text);
  } catch (error) {
    throw new CliError(`the artifact ${path} is refused: ${(error as Error).message}`);
  }
}

/**
 * Copies an artifact into the deploy folder under its digest, so that neither a way back nor a restart depends on a file
 * that the next training overwrites.
 */
export async function storeArtifact(folder: string, path: string, digest: string): Promise<void> {
  const target = artifactPath(folder, digest);
  await mkdir(join(folder, "artifacts"), { recursive: true, mode: 0o700 });
  const temporary = `${target}.tmp-${process.pid}`;
  try {
    await copyFile(path, temporary);
    const { digest: copied } = await readArtifact(temporary);
    if (copied !== digest)
      throw new CliError(`the artifact ${path} was changed while it was being deployed.`);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot copy ${path} into ${folder} (${(error as NodeJS.ErrnoException).code}).`);
  }
}

export const artifactPath = (folder: string, digest: string): string =>
  join(folder, "artifacts", `${digest.replace("sha256:", "")}.json`);

/** Removes the copies that nothing refers to any more. */
export async function pruneArtifacts(folder: string, used: readonly string[]): Promise<void> {
  const kept = new Set(used.map((path) => basename(path)));
  const all = await readdir(join(folder, "artifacts")).catch(() => []);
  for (const name of all) if (!kept.has(name)) await rm(join(folder, "artifacts", name), { force: true });
}

/** The model API of this project, as source or as built. */
export function serverScript(given: string | undefined): string {
  if (given !== undefined) return resolve(given);
  return fileURLToPath(new URL("../../../../../model-api/src/main.ts", import.meta.url));
}
