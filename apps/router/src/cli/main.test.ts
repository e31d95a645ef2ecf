import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { admin } from "../../test/support/fake-admin.ts";
import { BIN, sluice } from "../../test/support/sluice-command.ts";

describe("the command's process", () => {
  test("what Node makes of the sources is kept with the packages, for it and for what it starts", async () => {
    const tell = `import { getCompileCacheDir } from "node:module";
      process.once("exit", () => console.log([getCompileCacheDir(), process.env.NODE_COMPILE_CACHE].join(" ")));`;
    const run = await sluice(["check", "--table"], {
      NODE_COMPILE_CACHE: undefined,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(tell)}`,
    });
    expect(run.stdout).toMatch(/node_modules\/\.cache\/sluice\/\S+ \S+node_modules\/\.cache\/sluice\n$/);
  });

  test("a reader that goes away ends it quietly", async () => {
    const history = Array.from({ length: 20_000 }, (_, revision) => ({
      revision,
      at: "2026-11-21T20:00:00Z",
      kind: "undo",
    }));
    const { url } = await admin({ "GET /admin/history": { body: { history } } });
    const command = `"${process.execPath}" "${BIN}" history --json -n 20000 --admin ${url} | head -n 1`;
    const child = spawn("/bin/bash", ["-c", `${command}; exit \${PIPESTATUS[0]}`], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, output }).toEqual({ code: 0, output: "[\n" });
  });
});
