/** An artifact that must not be served. The message is one sentence that says what differs. */
export class ArtifactError extends Error {
  override readonly name = "ArtifactError";
}
