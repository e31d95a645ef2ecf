import { need, PipelineProblem } from "./github.ts";

/** A reference that a registry can resolve, with its host, and a tag or a digest. */
const REFERENCE =
  /^(?<name>[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

export interface Reference {
  readonly name: string;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

/** @throws PipelineProblem for anything else than HOST/PATH with a tag, a digest, or both. */
export function parseReference(text: string, what: string): Reference {
  const { name, tag, digest } = REFERENCE.exec(text)?.groups ?? {};
  if (name && (tag || digest)) return { name, tag, digest };
  throw new PipelineProblem(
    `${what} is ${JSON.stringify(text)}: expected an image such as ghcr.io/owner/sluice-api@sha256:… or …:1.0.1.`,
  );
}

/** Names of the images of this repository. Registries want lower case; a repository may have capitals. */
export function imageNames(): { readonly router: string; readonly api: string } {
  const repository = need("GITHUB_REPOSITORY", "OWNER/REPOSITORY", /^[\w.-]+\/[\w.-]+$/).toLowerCase();
  const registry = process.env.SLUICE_REGISTRY || "ghcr.io";
  return { router: `${registry}/${repository}-router`, api: `${registry}/${repository}-api` };
}
