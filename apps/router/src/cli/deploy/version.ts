import { z } from "zod";

/** What runs, or ran, on a color: enough to say what it is and to start it again. */
export const versionSchema = z.object({
  kind: z.enum(["artifact", "image"]),
  /** As it was given: an image's reference, or the path of an artifact. */
  ref: z.string(),
  /** The model's; null when nobody has said. */
  version: z.string().nullable(),
  digest: z.string().nullable(),
  /** The deploy's own copy of the artifact, so that a way back does not depend on the file given. */
  artifact: z.string().optional(),
  /** The script that serves it. */
  server: z.string().optional(),
  /** The image's ID: a tag may have moved on by the time of a way back. */
  image_id: z.string().optional(),
  /** Where it listens, as the router knows it. */
  targets: z.array(z.string()),
});
export type Version = z.infer<typeof versionSchema>;

/** `sluice-api:1.0.1 (1.0.1, sha256:fa453ee55734d…)`. */
export function describeVersion({ ref, version, digest }: Version): string {
  const facts = [version, digest && shortDigest(digest)].filter(Boolean).join(", ");
  return facts ? `${ref} (${facts})` : ref;
}

export const shortDigest = (digest: string): string =>
  digest.length > 20 ? `${digest.slice(0, 20)}…` : digest;
