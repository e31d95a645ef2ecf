import { readFileSync } from "node:fs";
import { rootPath } from "./child.ts";

/** Each line of the shell blocks of a document. */
export function commandsOf(file: string): string[] {
  const blocks = readFileSync(rootPath(file), "utf8").matchAll(/^```sh\n([\s\S]*?)^```/gm);
  return [...blocks].flatMap(([, lines]) => lines!.trim().split("\n"));
}

/** The README's commands that need a Docker engine, in their order, with what has to be seen after each. */
export const IN_CONTAINERS: readonly (readonly [start: string, seen: RegExp])[] = [
  ["npm run docker:build", /^built \S*sluice-api:1\.0\.1 sha256:[0-9a-f]{64}$/m],
  ["npm run compose", /router {3}http:[\s\S]*admin {4}http:/],
  ["npm exec -- sluice status --token-file", /blue[\s\S]*green/],
  ["npm run compose -- logs router", /The router is listening/],
  ["npm run compose -- down", /^/],
];
