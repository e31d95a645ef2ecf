// `npm run dashboards`: writes deploy/grafana/dashboards/*.json from src/dashboards.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dashboards, toJson } from "./dashboards/index.ts";

for (const [file, dashboard] of Object.entries(dashboards)) {
  const path = fileURLToPath(new URL(`../grafana/dashboards/${file}`, import.meta.url));
  writeFileSync(path, toJson(dashboard));
}
