import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Artifact } from "./artifact.ts";

/** JSON with sorted keys and one way to write each number: RFC 8785. */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? "null";
}

/** `sha256:<hex>` over the canonical JSON of everything but `created` and `digest`. */
export function artifactDigest(artifact: Omit<Artifact, "digest"> & { digest?: string }): string {
  const { created: _created, digest: _digest, ...signed } = artifact;
  return `sha256:${createHash("sha256").update(canonicalJson(signed)).digest("hex")}`;
}

/** The artifact with the digest of its content. */
export function signArtifact(artifact: Omit<Artifact, "digest"> & { digest?: string }): Artifact {
  return { ...artifact, digest: artifactDigest(artifact) };
}
