export * from "./artifact.ts";
export * from "./trip.ts";
