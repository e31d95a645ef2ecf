import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { GREEN, testConfig, testPlane } from "../../test/support/control-plane.ts";
import { settle } from "../../test/support/fake-clock.ts";
import { FakeLog } from "../../test/support/fake-log.ts";
import { FaultyDisk } from "../../test/support/faulty-disk.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import type { Config } from "../config/config.ts";
import { type HistoryEntry, remember } from "./history.ts";

const meta = { who: "ann" };
const weights = (blue: number, green: number) => ({ kind: "weights", weights: { blue, green } }) as const;

async function onDisk(changes: Partial<Config> = {}) {
  const folder = temporaryFolder();
  const parts = await testPlane({ state: folder, ...changes });
  const bytes = () => readFileSync(join(folder, "state.json"), "utf8");
  const { store } = parts.plane;
  const inForce = () => ({ ...store.view.snapshot, history: store.history.length });
  return { ...parts, folder, bytes, store, inForce };
}

describe("a change", () => {
  it("is on the disk before it is published", async () => {
    const { store, channel, bytes } = await onDisk();
    const published = channel.published.length;
    const seen: string[] = [];
    store.onSnapshot(() => seen.push(bytes()));
    await store.apply(weights(70, 30), meta);
    expect(channel.published.length).toBe(published + 1);
    expect(JSON.parse(seen[0]!).weights).toEqual({ blue: 70, green: 30 });
  });

  it("raises epoch and revision by one; a change of health raises the epoch alone", async () => {
    const { store, clock, probe } = await onDisk();
    const before = store.view.snapshot;
    await store.apply(weights(70, 30), meta);
    expect(store.view.snapshot).toMatchObject({ epoch: before.epoch + 1, revision: before.revision + 1 });
    probe.down(GREEN);
    await clock.advance(10_000);
    expect(store.view.snapshot).toMatchObject({ epoch: before.epoch + 2, revision: before.revision + 1 });
  });

  it("is carried out after those before it, in order", async () => {
    const { store } = await onDisk();
    const all = [10, 20, 30].map((green) => store.apply(weights(100 - green, green), meta));
    const applied = await Promise.all(all);
    expect(applied.map(({ before, state }) => [before.weights.green, state.weights.green])).toEqual([
      [10, 10],
      [10, 20],
      [20, 30],
    ]);
  });

  it("that was made for another revision is refused, one after another too", async () => {
    const { store } = await onDisk();
    const { revision } = store.view.snapshot;
    const mine = { ...meta, accepts: (now: number) => now === revision };
    const [first, second] = await Promise.allSettled([
      store.apply(weights(1, 2), mine),
      store.apply(weights(3, 4), mine),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "revision_changed" } });
    expect(store.view.routing.weights).toEqual({ blue: 1, green: 2 });
  });
});

describe("a change that cannot be saved", () => {
  it.each(["write", "duplicate", "rename", "syncFolder"] as const)(
    "(at %s) is refused, and nothing changes: neither in force nor on the disk",
    async (step) => {
      const { store, disk, bytes, inForce } = await onDisk();
      const before = { bytes: bytes(), ...inForce() };
      disk.faults.set(step, "ENOSPC");
      await expect(store.apply(weights(70, 30), meta)).rejects.toMatchObject({
        code: "not_saved",
        message: "The change could not be saved (ENOSPC), so nothing was changed.",
      });
      disk.faults.clear();
      expect({ bytes: bytes(), ...inForce() }).toEqual(before);
      await store.apply(weights(60, 40), meta);
      expect(store.view.snapshot.revision).toBe(before.revision + 1);
    },
  );
});

describe("a rollback", () => {
  it("on a full disk is in force at once, says it is not saved, and is saved when there is room", async () => {
    const { store, disk, bytes, clock, log } = await onDisk();
    await store.apply({ kind: "flip", to: "green" }, meta);
    disk.faults.set("write", "ENOSPC");
    expect(await store.apply({ kind: "rollback" }, meta)).toMatchObject({ saved: false });
    expect(store.view.routing.weights).toEqual({ blue: 100, green: 0 });
    expect(JSON.parse(bytes()).weights).toEqual({ blue: 0, green: 100 });
    await vi.waitFor(async () => {
      await clock.advance(1000);
      expect(log.text).toContain("could not be saved yet.\nwarn: The state in force could not be saved yet.");
    });
    disk.faults.clear();
    await vi.waitFor(async () => {
      await clock.advance(30_000);
      expect(log.text).toContain("The state is saved again.");
    });
    expect(JSON.parse(bytes()).weights).toEqual({ blue: 100, green: 0 });
  });

  it("is not held back by a change that waits for a hanging disk, and that change is dropped", async () => {
    const { store, disk, bytes } = await onDisk();
    await store.apply({ kind: "flip", to: "green" }, meta);
    let release = () => {};
    disk.hang = new Promise((resolve) => {
      release = resolve;
    });
    const hanging = store.apply(weights(10, 90), meta);
    const dropped = expect(hanging).rejects.toMatchObject({ code: "overtaken" });
    await settle();
    const rescue = store.apply({ kind: "rollback" }, meta);
    expect(store.view.routing.weights).toEqual({ blue: 100, green: 0 });
    release();
    disk.hang = undefined;
    await dropped;
    expect(await rescue).toMatchObject({ saved: true });
    expect(JSON.parse(bytes()).weights).toEqual({ blue: 100, green: 0 });
  });

  it("answers within two seconds even if the disk hangs for good", async () => {
    const { store, disk, clock } = await onDisk();
    disk.hang = new Promise(() => {});
    let answer: object | undefined;
    void store.apply({ kind: "rollback" }, meta).then((applied) => {
      answer = applied;
    });
    await clock.advance(2000);
    expect(answer).toMatchObject({ saved: false });
  });
});

async function restart(folder: string, changes: Partial<Config> = {}, disk = new FaultyDisk()) {
  const log = new FakeLog();
  return { ...(await testPlane({ state: folder, ...changes }, { disk, log })), log };
}

describe("after a restart", () => {
  it("saved weights and targets win over the file's, and the log says so", async () => {
    const { store, plane, folder } = await onDisk();
    await store.apply(weights(30, 70), { ...meta, why: "trial" });
    await store.apply({ kind: "targets", color: "green", targets: ["http://127.0.0.1:9"] }, meta);
    const [{ revision }, history] = [store.view.snapshot, store.history];
    await plane.stop();
    const again = await restart(folder);
    expect(again.plane.store.view.routing).toMatchObject({
      revision,
      weights: { blue: 30, green: 70 },
      targets: { green: ["http://127.0.0.1:9"] },
    });
    expect(again.plane.store.history).toEqual(history);
    expect(again.log.text).toContain("Weights and targets are the saved ones");
  });

  it("the file wins if its own colors changed meanwhile, and the log and the history say so", async () => {
    const { store, plane, folder } = await onDisk();
    await store.apply(weights(30, 70), meta);
    await plane.stop();
    const colors = { ...testConfig().colors, blue: { weight: 50, targets: ["http://127.0.0.1:8001"] } };
    const again = await restart(folder, { colors });
    expect(again.plane.store.view.routing.weights).toEqual({ blue: 50, green: 10 });
    expect(again.plane.store.history.at(-1)).toMatchObject({
      kind: "reload",
      who: "configuration file",
      revision: 3,
    });
    expect(again.log.text).toContain("The file's colors have changed");
    await again.plane.stop();
    expect((await restart(folder, { colors })).log.text).toContain("Weights and targets are the saved ones");
  });

  it("the file wins if it names other colors, and the revision still goes on", async () => {
    const { store, plane, folder } = await onDisk();
    await store.apply(weights(30, 70), meta);
    await plane.stop();
    const colors = { a: { weight: 1, targets: [] }, b: { weight: 0, targets: [] } };
    expect((await restart(folder, { colors })).plane.store.view.routing).toMatchObject({
      revision: 3,
      weights: { a: 1, b: 0 },
    });
  });

  it("the epoch goes on above every one that was published, saved or not", async () => {
    const { store, clock, probe, folder, plane, channel } = await onDisk();
    for (let i = 0; i < 400; i++) {
      probe.down(GREEN);
      await clock.advance(6000);
      probe.up(GREEN);
      await clock.advance(4000);
    }
    const published = channel.last.epoch;
    expect(published).toBeGreaterThan(800);
    expect(store.view.snapshot.epoch).toBe(published);
    await plane.stop();
    expect((await restart(folder)).channel.published[0]!.epoch).toBeGreaterThan(published);
  }, 60_000);

  it("every target is checked before it takes traffic, whatever was known before", async () => {
    const { plane, folder } = await onDisk();
    await plane.stop();
    const { channel } = await restart(folder);
    const healths = channel.published.map(({ colors }) =>
      colors.map(({ targets }) => targets[0]!.health).join(),
    );
    expect(healths[0]).toBe("starting,starting");
    expect(healths.at(-1)).toBe("up,up");
  });

  it("on a full disk the router serves by what is saved, and goes on trying to save", async () => {
    const { store, plane, folder, bytes } = await onDisk();
    await store.apply(weights(30, 70), meta);
    await plane.stop();
    const before = bytes();
    const disk = new FaultyDisk();
    disk.faults.set("write", "ENOSPC");
    const again = await restart(folder, {}, disk);
    expect(again.plane.store.view.routing.weights).toEqual({ blue: 30, green: 70 });
    expect(bytes()).toBe(before);
    disk.faults.clear();
    await again.clock.advance(1000);
    await vi.waitFor(() => expect(bytes()).not.toBe(before));
  });

  it("in a folder that cannot be written the start is refused in a sentence", async () => {
    const disk = new FaultyDisk();
    disk.faults.set("write", "EROFS");
    await expect(testPlane({ state: temporaryFolder() }, { disk })).rejects.toThrow(
      /cannot be saved in .* \(EROFS\): make it writable/,
    );
  });
});

describe("replaced targets", () => {
  it("serve until one of their successors is up, and the successor takes nothing before its checks passed", async () => {
    const { store, probe, clock, channel } = await onDisk();
    const next = "http://127.0.0.1:8003";
    probe.down(next);
    await store.apply({ kind: "targets", color: "green", targets: [next] }, meta);
    const green = () => channel.last.colors[1]!.targets;
    await clock.advance(30_000);
    expect(green()).toEqual([
      { url: next, health: "down" },
      { url: GREEN, health: "up" },
    ]);
    probe.up(next);
    await clock.advance(10_000);
    expect(green()).toEqual([{ url: next, health: "up" }]);
    const calls = probe.calls.filter((url) => url === GREEN).length;
    await clock.advance(10_000);
    expect(probe.calls.filter((url) => url === GREEN).length).toBe(calls);
  });

  it("go at once when they are down, or when the color is emptied", async () => {
    const { store, probe, clock, channel } = await onDisk();
    await store.apply({ kind: "flip", to: "blue" }, meta);
    await store.apply({ kind: "targets", color: "green", targets: [] }, meta);
    expect(channel.last.colors[1]!.targets).toEqual([]);
    probe.down("http://127.0.0.1:8001");
    await clock.advance(10_000);
    await store.apply({ kind: "targets", color: "blue", targets: [GREEN] }, meta);
    expect(channel.last.colors[0]!.targets).toEqual([{ url: GREEN, health: "starting" }]);
  });
});

describe("the history", () => {
  const entry = (revision: number, at: string): HistoryEntry => ({
    revision,
    at,
    kind: "weights",
    who: "ann",
    from: {},
    to: {},
  });
  const now = Date.parse("2026-11-21T12:00:00Z");

  it("keeps the last 500 changes", () => {
    let history: readonly HistoryEntry[] = [];
    for (let i = 1; i <= 510; i++) history = remember(history, entry(i, new Date(now).toISOString()), now);
    expect(history.map(({ revision }) => revision)).toEqual(Array.from({ length: 500 }, (_, i) => i + 11));
  });

  it("forgets what is older than a year", () => {
    const old = [entry(1, "2025-11-21T11:59:59Z"), entry(2, "2025-11-21T12:00:01Z")];
    expect(remember(old, entry(3, "2026-11-21T12:00:00Z"), now).map(({ revision }) => revision)).toEqual([
      2, 3,
    ]);
  });
});
