import { CliError } from "../../errors.ts";
import type { Driver, Release } from "../driver.ts";
import { removeFile, replaceFile } from "../files.ts";
import { lastLine } from "./command.ts";
import type { Compose, ImageFacts } from "./compose.ts";
import { writeVariable } from "./env-file.ts";
import { ComposeSlot, imageVariable } from "./slot.ts";

export const PULL_POLICIES = ["missing", "always", "never"] as const;

export interface ComposeOptions {
  readonly compose: Compose;
  readonly image: string;
  /** Pattern of the service's name. @default "api-{color}" */
  readonly service: string;
  /** When the image is fetched from its registry. @default "missing" */
  readonly pull: (typeof PULL_POLICIES)[number];
}

/** Versions as containers of a Compose file's services. */
export function composeDriver({ compose, image: ref, service, pull }: ComposeOptions): Driver {
  const slot = (color: string) => new ComposeSlot(compose, color, service);
  const release = (facts: ImageFacts | undefined, preparation: string): Release => ({
    version: {
      kind: "image",
      ref,
      version: facts?.version ?? null,
      digest: facts?.digest ?? null,
      ...(facts ? { image_id: facts.id } : {}),
    },
    golden: undefined,
    preparation,
  });
  return {
    kind: "image",
    slot,
    async inspect() {
      const facts = await compose.image(ref);
      if (!facts && pull === "never") throw notHere(ref, "and --pull never forbids to fetch it");
      const fetch = pull === "always" || !facts;
      return release(facts, fetch ? `pull ${ref}` : `nothing to pull: ${ref} is on this machine`);
    },
    targets: async (color, known) => (known.length > 0 ? known : [slot(color).target]),
    async prepare(before, signal, note) {
      if (pull === "always" || before.version.image_id === undefined) await fetchImage(compose, ref, signal);
      const facts = await compose.image(ref);
      if (!facts) throw notHere(ref, "although it was pulled");
      note(`${ref} is ${facts.id.slice(0, 19)}`);
      return release(facts, before.preparation);
    },
    publishes: (color) => `${imageVariable(color)}=${ref} in ${compose.envFile}`,
    async publish(color, { ref: deployed }, note) {
      const name = imageVariable(color);
      const before = await writeVariable(compose.envFile, name, deployed);
      const shadow = process.env[name];
      if (shadow && shadow !== deployed) {
        note(
          `the environment's ${name}=${shadow} wins over ${compose.envFile}: unset it before the next \`docker compose up\``,
        );
      }
      return () =>
        before === undefined ? removeFile(compose.envFile) : replaceFile(compose.envFile, before);
    },
  };
}

const notHere = (ref: string, why: string) =>
  new CliError(`the image ${ref} is not on this machine, ${why}.`);

/** A copy that is here is no substitute: whoever wants it pulled wants the newest. */
async function fetchImage(compose: Compose, ref: string, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await compose.pull(ref, signal);
  if (code === 0) return;
  const local = await compose.image(ref);
  const hint = local ? "; a copy is on this machine, which --pull missing would take" : "";
  throw new CliError(`the image ${ref} could not be pulled (${lastLine(stderr)})${hint}.`);
}
