import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sluice, sluiceHere } from "../../test/support/sluice-command.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

describe("check", () => {
  const folder = temporaryFolder();
  const write = (text: string) => {
    writeFileSync(join(folder, "sluice.yaml"), text);
    return join(folder, "sluice.yaml");
  };

  test("says that a good file is good, and shows it without its secrets", async () => {
    const path = write("admin: { token: hunter2 }\ncolors: { blue: { weight: 1 } }\n");
    const run = await sluiceHere(["check", "--config", path]);
    expect(run).toEqual({
      code: 0,
      stderr: "",
      stdout: `${path} is valid: blue behind 0.0.0.0:8080, admin at 127.0.0.1:9900.\n`,
    });
    const { stdout } = await sluiceHere(["check", "--json", "-c", path]);
    expect(stdout).not.toContain("hunter2");
    expect(JSON.parse(stdout)).toMatchObject({
      health: { interval: 2000 },
      admin: { tokens: [{ token: "***" }] },
    });
  });

  test("serve and check stop at a bad file with the same message", async () => {
    const path = write("colors: { blue: { weight: 1 } }\nhelth: {}\nlisten: 1\n");
    const run = await sluiceHere(["check", "--config", path]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /^sluice: .*sluice\.yaml has 2 problems:\n {2}listen is 1; .*\n {2}helth is not .*\n$/,
    );
    expect(await sluice(["serve", "--config", path])).toEqual(run);
  });

  test("the project's own sluice.yaml is good", async () => {
    const path = new URL("../../../../sluice.yaml", import.meta.url).pathname;
    expect(await sluiceHere(["check", "--config", path])).toMatchObject({ code: 0 });
  });
});
