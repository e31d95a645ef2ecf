import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fill, plots, simulateAll, tables } from "./document.ts";

/** Writes the tables and plots of docs/decisions.md: `npm run simulate`. */
const docs = join(import.meta.dirname, "../../../../docs");
const path = join(docs, "decisions.md");
const findings = simulateAll();
writeFileSync(path, fill(readFileSync(path, "utf8"), tables(findings)));
mkdirSync(join(docs, "decisions"), { recursive: true });
for (const [name, svg] of Object.entries(plots(findings))) writeFileSync(join(docs, "decisions", name), svg);
for (const [name, table] of Object.entries(tables(findings))) console.log(`${name}\n\n${table}\n`);
