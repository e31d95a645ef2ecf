import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { rootPath } from "../../apps/router/test/support/child.ts";
import { blocksOf, commandsOf } from "./document.ts";
import { readYaml } from "./files.ts";

const DOCUMENT = "docs/operations.md";
const marked = [...commandsOf(DOCUMENT, "root"), ...commandsOf(DOCUMENT, "docker")];

it("every block says where it runs, and every kind of block is tested", () => {
  const kinds = new Set(blocksOf(DOCUMENT).map(({ language, where }) => `${language} ${where}`.trim()));
  expect([...kinds].toSorted()).toEqual(
    ["caddyfile", "nginx", "sh", "sh docker", "sh root", "sh stopped", "yaml"].toSorted(),
  );
});

it.for(marked)("a shell understands: %s", (command) => {
  const { status, stderr } = spawnSync("sh", ["-n", "-c", command], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

it("commands that are not run name files that are there", () => {
  const named = marked.join("\n").matchAll(/\/(?:opt\/sluice|etc\/prometheus)\/([\w./-]+)/g);
  const missing = [...named]
    .map(([path, rest]) => (path.startsWith("/etc") ? `deploy/prometheus/${rest}` : rest!))
    .filter((path) => !existsSync(rootPath(path)));
  expect(missing).toEqual([]);
});

it("commands that need Docker name services and profiles of compose.yaml", () => {
  const { services } = readYaml(rootPath("compose.yaml")) as {
    services: Record<string, { profiles?: string[] }>;
  };
  const profiles = Object.values(services).flatMap(({ profiles = [] }) => profiles);
  const text = commandsOf(DOCUMENT, "docker").join("\n");
  for (const [, profile] of text.matchAll(/--profile (\S+)/g)) expect(profiles).toContain(profile);
  for (const [, service] of text.matchAll(/compose logs .* (\S+) \|/g))
    expect(services).toHaveProperty(service!);
});
