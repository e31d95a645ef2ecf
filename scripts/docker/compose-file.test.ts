import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
const file = join(root, "compose.yaml");

/** dclint checks against the Compose Specification's schema, which Compose v2 follows; what it finds is a line each. */
function lint(path: string) {
  const bin = join(root, "node_modules/.bin/dclint");
  const args = [bin, "--config", join(import.meta.dirname, "dclint.json"), path];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, output: `${stdout}${stderr}`.trim() };
}

test("compose.yaml is valid by the Compose Specification", () => {
  expect(lint(file)).toEqual({ status: 0, output: "" });
});

test("a key that the specification does not know would be found", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-compose-"));
  const wrong = join(folder, "compose.yaml");
  writeFileSync(wrong, readFileSync(file, "utf8").replace("mem_limit: 512m", "mem_limitt: 512m"));
  expect(lint(wrong)).toMatchObject({ status: 1, output: expect.stringContaining("invalid-schema") });
  rmSync(folder, { recursive: true });
});

test(".env.example names exactly the variables that compose.yaml reads, with their defaults", () => {
  const read = [...readFileSync(file, "utf8").matchAll(/\$\{(\w+):-([^}]*)\}/g)];
  const defaults = Object.fromEntries(read.map(([, name, value]) => [name, value]));
  const lines = readFileSync(join(root, ".env.example"), "utf8").matchAll(/^#(\w+)=(.*)$/gm);
  expect(Object.fromEntries([...lines].map(([, name, value]) => [name, value]))).toEqual(defaults);
});

test("every long-running service is bounded, hardened and comes back", () => {
  const { services } = parse(readFileSync(file, "utf8"), { merge: true }) as {
    services: Record<string, Record<string, unknown>>;
  };
  const { secrets: _once, ...running } = services;
  for (const [name, service] of Object.entries(running)) {
    expect(service, name).toMatchObject({
      restart: "unless-stopped",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      pids_limit: expect.any(Number),
    });
    expect(service.cpus, name).toBeDefined();
  }
});
