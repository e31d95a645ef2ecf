import { z } from "zod";

/** `model.json`: everything a server needs to predict, and to prove that it predicts as the trainer did. */
export const artifactSchema = z.strictObject({
  schema_version: z.literal(1),
});
export type Artifact = z.infer<typeof artifactSchema>;
