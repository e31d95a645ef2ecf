import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CliError } from "../../errors.ts";
import type { Driver, Release } from "../driver.ts";
import { addressOf, freeTarget, mustBeLocal, untilFree } from "./addresses.ts";
import { artifactPath, readArtifact, serverScript, storeArtifact } from "./artifact.ts";
import { LocalSlot } from "./slot.ts";

export interface LocalOptions {
  readonly folder: string;
  /** Path of `model.json`. */
  readonly artifact: string;
  /** Port instead of that of the router's target. */
  readonly port: number | undefined;
  /** The script that serves an artifact. @default the model API of this project */
  readonly server: string | undefined;
}

/** Versions as processes of this machine, each on the port that the router's target names. */
export function localDriver({ folder, artifact, port, server }: LocalOptions): Driver {
  const slot = (color: string) => new LocalSlot(folder, color);
  return {
    kind: "artifact",
    slot,
    async inspect(): Promise<Release> {
      const script = serverScript(server);
      if (!existsSync(script)) {
        throw new CliError(`${script}, which serves artifacts, is not there; name it with --server.`);
      }
      const path = resolve(artifact);
      const { version, digest, golden } = await readArtifact(path);
      return {
        version: {
          kind: "artifact",
          ref: path,
          version,
          digest,
          artifact: artifactPath(folder, digest),
          server: script,
        },
        golden,
        preparation: `copy the artifact into ${folder}`,
      };
    },
    async targets(color, known) {
      const targets =
        port !== undefined ? [`http://127.0.0.1:${port}`] : known.length > 0 ? known : [await freeTarget()];
      mustBeLocal(color, targets);
      // what a deploy started there is cleared away first
      const mine = (await slot(color).running())?.targets.map((url) => addressOf(url).port) ?? [];
      const others = targets.filter((url) => !mine.includes(addressOf(url).port));
      if (!(await slot(color).leftover())) await untilFree(color, others, 0);
      return targets;
    },
    async prepare(release) {
      await storeArtifact(folder, release.version.ref, release.version.digest!);
      return release;
    },
    publishes: () => undefined,
    publish: async () => async () => {},
  };
}
