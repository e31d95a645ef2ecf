import { describe, expect, test } from "vitest";
import { run } from "./compose/command.ts";
import { isLive } from "./progress.ts";

describe("progress", () => {
  test("is live on a terminal only, and not in CI", () => {
    const terminal = { isTTY: true } as NodeJS.WriteStream;
    expect(isLive(terminal, {})).toBe(true);
    for (const env of [{ CI: "true" }, { NO_COLOR: "1" }, { TERM: "dumb" }])
      expect(isLive(terminal, env)).toBe(false);
    expect(isLive({} as NodeJS.WriteStream, {})).toBe(false);
  });
  test("shows each phase with its time, also one that is over at once, and where it failed", async () => {
    const script = `
      import { liveProgress } from ${JSON.stringify(new URL("./live-progress.ts", import.meta.url).href)};
      const progress = liveProgress();
      const phases = ["clean", "start", "stop"].map((name) => ({ name, title: "do " + name }));
      progress.plan(phases);
      for (const phase of phases.slice(0, 2)) {
        progress.begin(phase);
        progress.note("a note on " + phase.name);
        progress.end(phase, 1200);
      }
      progress.begin(phases[2]);
      progress.fail(phases[2], "it broke");
      await progress.close();`;
    const env = { ...process.env, LISTR_FORCE_TTY: "1" };
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { env });
    for (const seen of [
      "do clean (1.2 s)",
      "a note on clean",
      "do start (1.2 s)",
      "a note on start",
      "it broke",
    ])
      expect(stdout).toContain(seen);
    expect(stdout).not.toContain("(1.2 s) (1.2 s)");
  });
});
