import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../../test/support/temporary-folder.ts";
import { setVariable, writeVariable } from "./env-file.ts";
import { imageVariable } from "./slot.ts";

const folder = temporaryFolder();

describe(".env", () => {
  const name = "SLUICE_GREEN_IMAGE";
  test.each([
    ["", `${name}=a:2\n`],
    ["# all\nA=1", `# all\nA=1\n${name}=a:2\n`],
    [`A=1 # x\n${name}=a:1\nB='2'\n`, `A=1 # x\n${name}=a:2\nB='2'\n`],
    [`A=1\r\n${name}=a:1\r\n`, `A=1\r\n${name}=a:2\r\n`],
    [`A=1\r\n`, `A=1\r\n${name}=a:2\r\n`],
    [`export ${name}="a:1"\n`, `export ${name}=a:2\n`],
    [`${name}=a:0\n${name}=a:1\n`, `${name}=a:0\n${name}=a:2\n`],
    [`#${name}=a:1\nX${name}=b\n`, `#${name}=a:1\nX${name}=b\n${name}=a:2\n`],
  ])("%j becomes %j", (before, after) => {
    expect(setVariable(before, name, "a:2")).toBe(after);
    expect(setVariable(after, name, "a:2")).toBe(after);
  });
  test("keeps its mode, and its place behind a symbolic link", async () => {
    const [real, link] = [join(folder, "real.env"), join(folder, ".env")];
    writeFileSync(real, "A=1\n", { mode: 0o640 });
    symlinkSync(real, link);
    expect(await writeVariable(link, name, "a:1")).toBe("A=1\n");
    expect(readFileSync(real, "utf8")).toBe(`A=1\n${name}=a:1\n`);
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });
  test("has one variable for each color", () => {
    expect([imageVariable("blue"), imageVariable("canary-2")]).toEqual([
      "SLUICE_BLUE_IMAGE",
      "SLUICE_CANARY_2_IMAGE",
    ]);
  });
});
