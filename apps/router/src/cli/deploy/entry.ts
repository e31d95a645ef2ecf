import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The script of this command, for processes that outlive it. */
export function entryScript(): string {
  const own = process.argv[1] ?? "";
  if (/^sluice(\.js)?$/.test(basename(own))) return own;
  return fileURLToPath(new URL("../../../bin/sluice.js", import.meta.url));
}
