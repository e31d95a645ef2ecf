import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { testConfig } from "../../test/support/control-plane.ts";
import { FakeLog } from "../../test/support/fake-log.ts";
import { FaultyDisk } from "../../test/support/faulty-disk.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { fileColors } from "./open-store.ts";
import { StateFile } from "./state-file.ts";

const source = (name: string) => JSON.stringify(join(import.meta.dirname, name));

/** Applies changes one after another, each told before it is asked for and after it is answered. */
const CHILD = `
  import { openStore, startStore } from ${source("open-store.ts")};
  import { disk } from ${source("disk.ts")};
  import { StateFile } from ${source("state-file.ts")};
  import { systemClock } from ${source("clock.ts")};
  import { writeSync } from "node:fs";
  const [folder, first, config] = process.argv.slice(1);
  const log = { info() {}, warn() {}, error() {} };
  const storage = await StateFile.open({ folder, disk, log, now: Date.now });
  const store = await openStore({ config: JSON.parse(config), storage, clock: systemClock, log });
  await startStore(store, folder);
  for (let green = Number(first); ; green++) {
    writeSync(1, "asked " + green + "\\n");
    await store.apply({ kind: "weights", weights: { blue: 1, green } }, { who: "child" });
    writeSync(1, "answered " + green + "\\n");
  }
`;
const CONFIG = JSON.stringify(testConfig());
const ROUNDS = 20;
const CHANGES = 10;

/** Runs the child until it was asked for `changes` changes and a bit, kills it, and says what it did. */
async function killedAfter(folder: string, first: number, changes: number, spin: number) {
  const child = spawn(
    process.execPath,
    ["--input-type=module", "--eval", CHILD, folder, String(first), CONFIG],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let [asked, answered] = [0, 0];
  for await (const line of createInterface({ input: child.stdout! })) {
    const [what, green] = line.split(" ");
    if (what === "asked") asked = Number(green);
    else answered = Number(green);
    if (what === "asked" && asked >= first + changes) await killAfter(child, spin);
  }
  return { asked, answered };
}

/** A few turns of the loop, so that kills fall into every step of a save. */
async function killAfter(child: ChildProcess, spin: number): Promise<void> {
  for (let i = 0; i < spin; i++) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
}

async function restarted(folder: string, log: FakeLog): Promise<number> {
  const file = await StateFile.open({ folder, disk: new FaultyDisk(), log, now: () => 0 });
  const saved = await file.load(fileColors(testConfig().colors));
  await file.close();
  return saved!.routing.weights.green!;
}

describe("a router that is killed at any moment of 200 changes", () => {
  it("has the weights of the last change that was answered, or the one in flight, after a restart", async () => {
    const folder = temporaryFolder();
    const log = new FakeLog();
    let first = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { asked, answered } = await killedAfter(folder, first, CHANGES, (round * 7) % 41);
      const green = await restarted(folder, log);
      expect([answered, asked]).toContain(green);
      first = green + 1;
    }
    expect(log.text).toBe("");
  }, 120_000);

  it("leaves a folder that the next one may have at once", async () => {
    const folder = temporaryFolder();
    const held = spawn(process.execPath, ["--input-type=module", "--eval", CHILD, folder, "1", CONFIG], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(held.stdout!, "data");
    const log = new FakeLog();
    const open = () => StateFile.open({ folder, disk: new FaultyDisk(), log, now: () => 0 });
    await expect(open()).rejects.toThrow(/in use by another router/);
    held.kill("SIGKILL");
    await once(held, "exit");
    await (await open()).close();
    expect(readdirSync(folder).filter((name) => name.startsWith("lock"))).toEqual(["lock"]);
  });
});
