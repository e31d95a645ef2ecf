import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const BIN = join(PACKAGE, "../../node_modules/.bin");

/** Every file below a folder with its text. */
function filesOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

describe("the generated types", () => {
  it("are what `npm run generate` makes of the protos", () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-protos-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const part of ["proto", "buf.yaml", "buf.gen.yaml"])
      cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
    const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH}`, HOME: folder };
    const { status, stderr, error } = spawnSync("buf", ["generate"], { cwd: folder, env, encoding: "utf8" });
    expect(error, "buf could not be started").toBeUndefined();
    expect([status, stderr]).toEqual([0, ""]);
    const generated = filesOf(join(folder, "src/gen"));
    expect(Object.keys(generated).length).toBe(4);
    expect(filesOf(join(PACKAGE, "src/gen"))).toEqual(generated);
  });
});
