/** What a trainer needs: everything but reading an artifact back, whose schema takes as long to load as all the rest. */
export type { Artifact, ArtifactBody } from "./artifact.ts";
export * from "./artifact-error.ts";
export * from "./build.ts";
export * from "./datetime.ts";
export * from "./deciles.ts";
export * from "./inputs.ts";
export * from "./model.ts";
export { type Context, describeTrip } from "./recipes/full/context.ts";
export * from "./recipes/index.ts";
export * from "./recipes/recipe.ts";
export * from "./trip.ts";
