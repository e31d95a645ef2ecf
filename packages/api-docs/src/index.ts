export { assetsDir, copyAssets } from "./assets.ts";
export { type DocsOptions, docsRoutes } from "./docs.ts";
export { type Problem, problem, problemBody } from "./problem.ts";
