import { execFile } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { rootPath } from "../support/child.ts";
import { ComposeProject, endProjects, imageVariables } from "../support/compose-project.ts";
import { commandsOf, IN_CONTAINERS } from "../support/readme.ts";

const run = promisify(execFile);
let project: ComposeProject;

beforeAll(() => {
  const prefix = `${inject("imagePrefix")}readme/`;
  project = new ComposeProject({ ...imageVariables(prefix), SLUICE_IMAGE_PREFIX: prefix });
  symlinkSync(rootPath("node_modules"), join(project.folder, "node_modules"));
});
afterAll(endProjects);

it.each(IN_CONTAINERS)("runs %s", async (start, seen) => {
  const command = commandsOf("README.md").find((line) => line.startsWith(start))!;
  // The admin port is the engine's choice here, so that nothing on this machine is in the way.
  const admin = command.includes("sluice") ? { SLUICE_ADMIN: await adminUrl() } : {};
  const env = { ...project.env, ...admin, NO_COLOR: "1", SLUICE_TESTS: undefined };
  const { stdout } = await run("sh", ["-c", command], {
    cwd: project.folder,
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stdout).toMatch(seen);
});

it("leaves no container after the last of them", async () => {
  await expect(project.container("router")).rejects.toThrow("has no container");
});

async function adminUrl(): Promise<string> {
  return project.url("router", 9900);
}
