import manifest from "../package.json" with { type: "json" };

/** The router's own version. */
export const VERSION: string = manifest.version;
