import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { run } from "./compose/command.ts";
import { BoundedLog } from "./local/bounded-log.ts";
import { identify, isAlive, send } from "./local/identity.ts";

const folder = temporaryFolder();

describe("processes", () => {
  test("are meant by number and time of birth", () => {
    const own = identify(process.pid)!;
    expect(isAlive(own)).toBe(true);
    const reused = { ...own, began: "another time" };
    expect(isAlive(reused)).toBe(false);
    expect(send(reused, "SIGKILL")).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });
  test("write logs that have a bound", () => {
    const path = join(folder, "bounded.log");
    const log = new BoundedLog(path, 100);
    for (let i = 0; i < 50; i++) log.write(`line ${i} ..........\n`);
    expect(statSync(path).size).toBeLessThanOrEqual(100);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(100);
    expect(readFileSync(path, "utf8")).toMatch(/line 49/);
  });
  test("of other programs end with the signal, and say when they are not there", async () => {
    await expect(run("sluice-no-such-program", [])).rejects.toThrow(/`sluice-no-such-program` cannot be run/);
    await expect(run(process.execPath, ["-e", "setInterval(() => {}, 9)"], { timeout: 300 })).rejects.toThrow(
      /did not end within 0\.3 s/,
    );
    const abort = AbortSignal.abort(new Error("interrupted"));
    await expect(run(process.execPath, ["-v"], { signal: abort })).rejects.toThrow("interrupted");
  });
});
