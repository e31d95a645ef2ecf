import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testConfig } from "../../test/support/control-plane.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { FakeLog } from "../../test/support/fake-log.ts";
import { FaultyDisk } from "../../test/support/faulty-disk.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { initialState } from "../core/transitions.ts";
import type { Disk } from "./disk.ts";
import { fileColors } from "./open-store.ts";
import { deserialize, digestOf, type SavedState, serialize } from "./saved-state.ts";
import { StartError } from "./start-error.ts";
import { StateFile } from "./state-file.ts";

const colors = fileColors(testConfig().colors);

function state(revision: number): SavedState {
  return {
    reservedEpoch: revision + 1000,
    fileDigest: digestOf(colors),
    routing: {
      ...initialState(colors, revision),
      previous: { blue: 1, green: 3 },
      last: "blue",
      back: "green",
    },
    history: [
      {
        revision,
        at: "2026-11-21T12:00:00.000Z",
        kind: "flip",
        who: "ann",
        why: "a — test",
        from: {},
        to: {},
      },
    ],
  };
}

function open(folder: string, disk = new FaultyDisk(), log = new FakeLog()) {
  return StateFile.open({ folder, disk, log, now: new FakeClock().now });
}

async function loadOnce(folder: string, log = new FakeLog()): Promise<SavedState | undefined> {
  const file = await StateFile.open({ folder, disk: new FaultyDisk(), log, now: () => 0 });
  return await file.load(colors).finally(() => file.close());
}

/** A folder with revision 1 as the previous generation and revision 2 as the newest. */
async function twice(): Promise<string> {
  const folder = temporaryFolder();
  const file = await StateFile.open({ folder, disk: new FaultyDisk(), log: new FakeLog(), now: () => 0 });
  await file.save(state(1));
  await file.save(state(2));
  await file.close();
  return folder;
}

const path = (folder: string) => join(folder, "state.json");

describe("the state file", () => {
  it("keeps a gate, and reads what an older router wrote without one", async () => {
    const gate = { kind: "pause", max: 1, timeout: 2, until: 3, reason: "x" } as const;
    const paused = { ...state(4), routing: { ...state(4).routing, gate } };
    expect(deserialize(serialize(paused), colors).routing.gate).toEqual(gate);
    const { checksum: _, ...older } = { ...JSON.parse(serialize(state(4))), schema_version: 1 };
    const checksum = createHash("sha256").update(JSON.stringify(older)).digest("hex");
    expect(deserialize(JSON.stringify({ ...older, checksum }), colors)).toEqual(state(4));
  });

  it("gives back what was saved, and nothing where nothing was", async () => {
    expect(await loadOnce(temporaryFolder())).toBeUndefined();
    expect(await loadOnce(await twice())).toEqual(state(2));
  });

  it("is for its owner alone, as is the previous generation and the lock", async () => {
    const folder = join(temporaryFolder(), "new", "folder");
    const file = await StateFile.open({ folder, disk: new FaultyDisk(), log: new FakeLog(), now: () => 0 });
    await file.save(state(1));
    await file.save(state(2));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ["state.json", "state.json.1", "lock"])
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    await file.close();
  });

  it("keeps its previous generation, which takes over when the newest is gone", async () => {
    const folder = await twice();
    writeFileSync(path(folder), "");
    const log = new FakeLog();
    expect((await loadOnce(folder, log))?.routing.revision).toBe(1);
    expect(log.text).toContain("damaged and was set aside");
    expect(log.text).toContain("using the one saved before it");
  });
});

const text = serialize(state(2));
describe("a damaged state file", () => {
  it.each([
    ["empty", ""],
    ["cut off", text.slice(0, text.length / 2)],
    ["no JSON", "\0\0\0\0"],
    ["another document", '{"colors": {}}'],
    ["a list", "[]"],
    ["null", "null"],
    ["a flipped digit", text.replace('"blue": 90', '"blue": 91')],
    ["a missing part", text.replace(/"checksum": "[^"]*"/, '"sum": ""')],
  ])("(%s) is set aside with a message, kept, and not fatal", async (_, damaged) => {
    const folder = await twice();
    expect(damaged).not.toBe(text);
    writeFileSync(path(folder), damaged);
    const log = new FakeLog();
    expect((await loadOnce(folder, log))?.routing.revision).toBe(1);
    const aside = readdirSync(folder).filter((name) => name.includes("damaged"));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(folder, aside[0]!), "utf8")).toBe(damaged);
    expect(existsSync(path(folder))).toBe(false);
    expect(log.lines.some(({ level }) => level === "error")).toBe(true);
  });

  it("with a damaged previous generation leaves nothing to load, and both aside", async () => {
    const folder = await twice();
    writeFileSync(path(folder), "x");
    writeFileSync(`${path(folder)}.1`, "y");
    expect(await loadOnce(folder)).toBeUndefined();
    expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toHaveLength(2);
  });

  it("is kept five times, not without end", async () => {
    const folder = temporaryFolder();
    for (let i = 0; i < 9; i++) {
      writeFileSync(path(folder), `damage ${i}`);
      const file = await StateFile.open({
        folder,
        disk: new FaultyDisk(),
        log: new FakeLog(),
        now: () => i * 1000,
      });
      await file.load(colors);
      await file.close();
    }
    const kept = readdirSync(folder).filter((name) => name.includes("damaged"));
    expect(kept.map((name) => readFileSync(join(folder, name), "utf8")).sort()).toEqual(
      [4, 5, 6, 7, 8].map((i) => `damage ${i}`),
    );
  });
});

describe("a start is refused in one sentence", () => {
  it("when a newer router wrote the state, which stays as it is", async () => {
    const folder = await twice();
    const newer = text.replace('"schema_version": 2', '"schema_version": 3');
    writeFileSync(path(folder), newer);
    await expect(loadOnce(folder)).rejects.toThrow(/schema version 3; this router knows up to 2/);
    expect(readFileSync(path(folder), "utf8")).toBe(newer);
  });

  it.each(["EACCES", "EROFS", "ENOSPC"])("when the folder cannot be made (%s)", async (code) => {
    const disk = new FaultyDisk();
    disk.faults.set("makeFolder", code);
    const folder = join(temporaryFolder(), "state");
    await expect(open(folder, disk)).rejects.toThrow(new RegExp(`${folder} cannot be used \\(${code}\\)`));
  });

  it("when a file is in the folder's place", async () => {
    const folder = join(temporaryFolder(), "state");
    writeFileSync(folder, "");
    await expect(open(folder)).rejects.toBeInstanceOf(StartError);
  });

  it("when another router has the folder, until that one lets it go", async () => {
    const folder = temporaryFolder();
    const first = await open(folder);
    await expect(open(folder)).rejects.toThrow(/is in use by another router/);
    await first.close();
    await (await open(folder)).close();
  });
});

describe("a save that fails", () => {
  const steps: (keyof Disk)[] = ["write", "duplicate", "rename", "syncFolder"];
  it.each(steps.flatMap((step) => ["ENOSPC", "EIO"].map((code) => [step, code] as const)))(
    "at %s (%s) rejects, and a restart finds what was there before, byte by byte",
    async (step, code) => {
      const folder = await twice();
      const before = readFileSync(path(folder), "utf8");
      const disk = new FaultyDisk();
      const file = await open(folder, disk);
      await file.load(colors);
      disk.faults.set(step, code);
      await expect(file.save(state(3))).rejects.toMatchObject({ code });
      disk.faults.clear();
      expect(readFileSync(path(folder), "utf8")).toBe(before);
      await file.save(state(4));
      await file.close();
      expect((await loadOnce(folder))?.routing.revision).toBe(4);
    },
  );

  it("when it is the first leaves nothing behind", async () => {
    const folder = temporaryFolder();
    const disk = new FaultyDisk();
    const file = await open(folder, disk);
    disk.faults.set("syncFolder", "EIO");
    await expect(file.save(state(1))).rejects.toMatchObject({ code: "EIO" });
    await file.close();
    expect(readdirSync(folder)).toEqual(["lock"]);
  });
});

describe("what an interrupted save leaves", () => {
  it("is swept at the next start", async () => {
    const folder = await twice();
    writeFileSync(join(folder, "state.json.tmp"), "half");
    writeFileSync(join(folder, "state.json.1.tmp"), "half");
    mkdirSync(join(folder, "not-ours"));
    expect((await loadOnce(folder))?.routing.revision).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(["lock", "not-ours", "state.json", "state.json.1"]);
  });
});
