import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { BLUE, GREEN, testConfig, testPlane } from "../../../test/support/control-plane.ts";
import { FakeChannel } from "../../../test/support/fake-channel.ts";
import { settle } from "../../../test/support/fake-clock.ts";
import { passed } from "../../../test/support/fake-probe.ts";
import { FaultyDisk } from "../../../test/support/faulty-disk.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Config } from "../../config/config.ts";
import { parsePointer } from "../../core/predictions/pointer.ts";
import { PairBook, type PairReport } from "../../core/shadow/pairs.ts";

const PREDICTIONS = { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] };
const RETIRED = {
  blue: { weight: 100, targets: [BLUE] },
  green: { weight: 0, targets: [GREEN] },
};

/** A worker's pairs: so many, of which so many disagree by 3. */
function pairsOf(count: number, disagree = 0, prefix = "r"): PairReport {
  const book = new PairBook(20);
  for (let i = 0; i < count; i++) {
    const difference = i < disagree ? 3 + i : 0.25;
    const comparison = { agrees: i >= disagree, difference, main: 10, shadow: 10 + difference };
    book.add(comparison, { "/zone": i % 2 ? "JFK" : "LGA" }, () => ({
      request_id: `${prefix}${i}`,
      at: 0,
      path: "/api/predict/",
      main: 10,
      shadow: 10 + difference,
      difference,
      outcome: "answered",
      slices: {},
    }));
  }
  return book.report();
}

type Parts = Awaited<ReturnType<typeof testPlane>>;
let parts: Parts;
const opened = async (
  more: Parameters<typeof testPlane>[0] = {},
  options: Parameters<typeof testPlane>[1] = {},
) => {
  parts = await testPlane({ colors: RETIRED, predictions: PREDICTIONS, ...more }, options);
  parts.probe.results.set(BLUE, { ...passed, version: "1.0.0", digest: "aaa" });
  parts.probe.results.set(GREEN, { ...passed, version: "1.0.1", digest: "bbb" });
  await parts.clock.advance(4000);
};
beforeEach(() => opened());

const view = () => parts.channel.last.shadow;
const report = async (run: string, pairs: PairReport, id = view()!.id, worker = 0) => {
  const { epoch } = parts.channel.last;
  parts.channel.set({ worker, epoch, colors: {}, connections: 0, shadow: { id, run, pairs } });
  parts.channel.report(worker);
};
const start = (body: object = { color: "green", percent: 25 }) => parts.call("POST", "/admin/shadow", body);
const state = async () => (await parts.call("GET", "/admin/shadow")).body;

describe("a shadow", () => {
  it("is in the next snapshot once it is asked for, and in none once it is not", async () => {
    const before = parts.channel.last.epoch;
    expect(view()).toBeUndefined();
    const { status, body } = await start({ color: "green", percent: 25, reason: "1.0.1" });
    expect(status).toBe(200);
    expect(body.shadow).toEqual({
      color: "green",
      against: "blue",
      percent: 25,
      since: "2026-11-21T12:00:04.500Z",
      by: "local",
      reason: "1.0.1",
      versions: { main: { version: "1.0.0", digest: "aaa" }, shadow: { version: "1.0.1", digest: "bbb" } },
    });
    expect(view()).toMatchObject({ color: "green", against: "blue", percent: 25 });
    expect(parts.channel.last.epoch).toBe(before + 1);
    expect((await parts.call("DELETE", "/admin/shadow")).body.shadow).toBeNull();
    expect(view()).toBeUndefined();
    expect((await parts.call("DELETE", "/admin/shadow")).status).toBe(200);
  });

  it("takes another percent without losing what was found; 0 ends it", async () => {
    await start();
    const { id } = view()!;
    await report("w0", pairsOf(10));
    await start({ color: "green" });
    expect(view()).toMatchObject({ id, color: "green", against: "blue", percent: 100 });
    expect((await state()).pairs.pairs).toBe(10);
    await start({ color: "green", percent: 0 });
    expect(view()).toBeUndefined();
    expect((await state()).pairs.pairs).toBe(10);
  });

  it.each<[object, number, RegExp]>([
    [{ color: "blue" }, 409, /^blue has weight 100, and a shadow serves nobody/],
    [{ color: "mauve" }, 400, /mauve/],
    [{ color: "green", percent: 101 }, 400, /percent/],
    [{ color: "green", percent: -1 }, 400, /percent/],
    [{ color: "green", percent: "5" }, 400, /percent/],
    [{ percent: 5 }, 400, /color/],
    [{ color: "green", persent: 5 }, 400, /persent/],
  ])("is refused: %j", async (body, status, detail) => {
    const { status: found, body: problem } = await start(body);
    expect(found).toBe(status);
    expect(problem.detail).toMatch(detail);
    expect(view()).toBeUndefined();
  });

  it("is refused where it could get nothing: no healthy target, no declared path", async () => {
    parts.probe.down(GREEN);
    await parts.clock.advance(10_000);
    expect(await start()).toMatchObject({ status: 409, body: { code: "no_healthy_target" } });
    await opened({
      retry: { attempts: 1, budget: 0.2, on: [], idempotent_paths: [], buffer: 1, buffer_total: 1 },
    });
    expect(await start()).toMatchObject({ status: 409, body: { code: "nothing_to_copy" } });
  });

  it("ends with an event when its color gets weight", async () => {
    await start();
    await report("w0", pairsOf(5));
    await parts.call("POST", "/admin/weights", { blue: 95, green: 5 });
    await parts.clock.advance(0);
    expect(view()).toBeUndefined();
    expect(parts.log.text).toContain("green gets no copies any more: green has weight now");
    expect((await state()).pairs.pairs).toBe(5);
    const answer = await parts.plane.adminApp.request("/admin/events", { headers: { "Last-Event-ID": "x" } });
    let text = "";
    for await (const part of answer.body!) {
      text += new TextDecoder().decode(part);
      if (text.includes('"event":"ended"')) break;
    }
    expect(text).toContain('"event":"ended","color":"green","who":"sluice","why":"green has weight now"');
  });

  it("adds what its workers found, also of one that began anew", async () => {
    await start();
    await report("w0", pairsOf(10, 2, "a"), undefined, 0);
    await report("w1", pairsOf(20, 1, "b"), undefined, 1);
    await report("w0-again", pairsOf(5, 0), undefined, 0);
    await report("old", pairsOf(100), "another id", 2);
    const { pairs, slices, certificate } = await state();
    expect(pairs).toMatchObject({ pairs: 35, agree: 32, disagree: 3, largest: 4 });
    expect(slices["/zone"].JFK.pairs + slices["/zone"].LGA.pairs).toBe(35);
    expect(certificate.sentence).toMatch(/^3 of 35 pairs disagree; \d+ more that agree/);
    const { worst } = (await parts.call("GET", "/admin/shadow/worst")).body;
    expect(worst.slice(0, 3).map((pair: { request_id: string }) => pair.request_id)).toEqual([
      "a1",
      "a0",
      "b0",
    ]);
  });

  it("certifies that fewer than 1 % disagree with 363 pairs", async () => {
    await start();
    await report("w0", pairsOf(362));
    expect((await state()).certificate).toMatchObject({ passed: false, missing: 1 });
    await report("w0", pairsOf(363));
    expect((await state()).certificate).toMatchObject({
      passed: true,
      sentence: "0 of 363 pairs disagree: fewer than 1 % disagree, at 95 %",
    });
  });

  it("begins anew when either color runs another version, and goes on where one comes back", async () => {
    await start();
    await report("w0", pairsOf(100));
    const { id } = view()!;
    parts.probe.results.set(GREEN, { ...passed, version: "1.0.2", digest: "ccc" });
    await parts.clock.advance(3000);
    await report("w0", pairsOf(100));
    expect(view()!.id).not.toBe(id);
    expect((await state()).pairs.pairs).toBe(0);
    expect((await state()).shadow.versions.shadow.digest).toBe("ccc");
    expect(parts.log.text).toContain("begins anew: green runs another version");
    await report("w0", pairsOf(7));
    expect((await state()).pairs.pairs).toBe(7);
    parts.probe.results.set(GREEN, { ...passed, version: "1.0.1", digest: "bbb" });
    await parts.clock.advance(3000);
    await report("w0", pairsOf(1));
    await report("w0", pairsOf(3));
    expect((await state()).pairs.pairs).toBe(103);
  });

  it.each<[string, (now: Config) => Partial<Config>]>([
    ["tolerance", ({ shadow }) => ({ shadow: { ...shadow, atol: 0.01 } })],
    ["place", () => ({ predictions: { ...PREDICTIONS, pointer: parsePointer("/predictions/*/tip") } })],
    ["range", () => ({ predictions: { ...PREDICTIONS, range: [0, 500] } })],
  ])("begins anew, and is certified anew, with another %s", async (_, change) => {
    const before = testConfig({ colors: RETIRED, predictions: PREDICTIONS });
    await start();
    await report("w0", pairsOf(363));
    const { id } = view()!;
    await parts.plane.reload(before);
    expect(view()!.id).toBe(id);
    await parts.plane.reload({ ...before, ...change(before) });
    expect(view()!.id).not.toBe(id);
    expect((await state()).certificate).toMatchObject({ passed: false, missing: 363 });
    await report("w0", pairsOf(50));
    await parts.plane.reload(before);
    expect((await state()).certificate).toMatchObject({ passed: true });
    expect((await state()).pairs.pairs).toBe(363);
  });

  it("keeps what was found while a color is not heard of, and until a version is known", async () => {
    await start();
    await report("w0", pairsOf(10));
    parts.probe.results.set(GREEN, { ...passed, ok: false });
    await parts.clock.advance(20_000);
    await report("w0", pairsOf(12));
    expect((await state()).pairs.pairs).toBe(12);
  });

  it("has metrics, an event and a place in the description", async () => {
    await start();
    await report("w0", pairsOf(363, 0));
    parts.channel.count({ green: { copies: { answered: 363, timeout: 2 } } });
    parts.channel.count({
      blue: {
        answers: { read: 5, faults: { null: 2 }, skipped: {}, predictions: { counts: { 0: 3 }, sum: 0 } },
      },
    });
    const { body: text } = await parts.call("GET", "/metrics");
    for (const line of [
      'sluice_shadow_requests_total{color="green",outcome="timeout"} 2',
      'sluice_shadow_requests_total{color="blue",outcome="answered"} 0',
      'sluice_bad_answers_total{color="blue",reason="null"} 2',
      'sluice_bad_answers_total{color="green",reason="null"} 0',
      'sluice_answers_read_total{color="blue"} 5',
      'sluice_prediction_value_bucket{color="blue",le="0"} 3',
      'sluice_prediction_value_count{color="blue"} 3',
      'sluice_shadow_percent{color="green"} 25',
      "sluice_shadow_agreement_ratio 1",
      'sluice_shadow_difference{stat="mean"} 0.25',
      "sluice_shadow_certified 1",
    ])
      expect(text).toContain(`\n${line}\n`);
    const { paths } = (await parts.call("GET", "/admin/openapi.json")).body;
    expect(Object.keys(paths["/admin/shadow"])).toEqual(["get", "post", "delete"]);
  });
});

it("shows and saves requests' bodies and queries no longer than the configuration says so", async () => {
  const state = temporaryFolder();
  const shadow = { ...testConfig().shadow, bodies: true };
  await opened({ state, shadow });
  await start();
  const pairs = pairsOf(3);
  await report("w0", {
    ...pairs,
    worst: pairs.worst.map((pair) => ({ ...pair, path: "/p?name=private", body: "personal" })),
  });
  const shown = async () => JSON.stringify((await parts.call("GET", "/admin/shadow/worst")).body);
  const saved = () => readFileSync(join(state, "shadow.json"), "utf8");
  expect(await shown()).toMatch(/private.*personal/);
  await parts.clock.advance(6000);
  await report("w0", {
    ...pairs,
    worst: pairs.worst.map((pair) => ({ ...pair, path: "/p?name=private", body: "personal" })),
  });
  await vi.waitFor(() => expect(saved()).toContain("personal"));
  await parts.plane.reload(testConfig({ colors: RETIRED, predictions: PREDICTIONS, state }));
  expect(await shown()).not.toMatch(/private|personal/);
  await parts.plane.stop();
  expect(saved()).toContain('"worst":[{');
  expect(saved()).not.toMatch(/private|personal/);
});

describe("what outlives a restart", () => {
  const again = async (folder: string) => {
    await parts.plane.stop();
    await opened({ state: folder });
  };

  it("is the shadow, its pairs and the certificate, once they were saved", async () => {
    const folder = temporaryFolder();
    await opened({ state: folder });
    await start();
    await report("w0", pairsOf(363));
    await again(folder);
    expect(view()).toMatchObject({ color: "green", against: "blue", percent: 25 });
    expect((await state()).pairs.pairs).toBe(363);
    await report("w1", pairsOf(2));
    expect((await state()).pairs.pairs).toBe(365);
    await parts.call("DELETE", "/admin/shadow");
    await again(folder);
    expect(view()).toBeUndefined();
    expect((await state()).certificate.passed).toBe(true);
  });

  it("is not replaced by workers that report before it is read", async () => {
    const folder = temporaryFolder();
    await opened({ state: folder });
    await start();
    await report("w0", pairsOf(363));
    await parts.plane.stop();
    const channel = new FakeChannel();
    const disk = new FaultyDisk();
    const { read, write } = disk;
    const written: string[] = [];
    disk.write = (path, text) => {
      written.push(path);
      return write(path, text);
    };
    disk.read = async (path) => {
      channel.report();
      await settle();
      return await read(path);
    };
    await opened({ state: folder }, { channel, disk });
    expect(written.filter((path) => path.includes("shadow.json"))).toEqual([]);
    expect((await state()).pairs.pairs).toBe(363);
  });

  it("is nothing where the file is damaged, and the router says so and serves", async () => {
    const folder = temporaryFolder();
    await opened({ state: folder });
    await start();
    await parts.plane.stop();
    const file = join(folder, "shadow.json");
    writeFileSync(file, readFileSync(file, "utf8").replace("green", "grey"));
    await opened({ state: folder });
    expect(view()).toBeUndefined();
    expect(parts.log.text).toContain("What was saved of shadows cannot be read");
    expect((await start()).status).toBe(200);
  });

  it("is nothing where the file cannot be read, and the router says why and serves", async () => {
    const folder = temporaryFolder();
    await opened({ state: folder });
    await start();
    await parts.plane.stop();
    const disk = new FaultyDisk();
    const { read } = disk;
    disk.read = async (path) => {
      if (path.endsWith("shadow.json")) throw Object.assign(new Error("denied"), { code: "EACCES" });
      return await read(path);
    };
    await opened({ state: folder }, { disk });
    expect(view()).toBeUndefined();
    expect(parts.log.text).toContain("shadow.json cannot be read (EACCES); no shadow runs.");
    expect((await start()).status).toBe(200);
  });

  it("is saved again once the disk takes it, and a full one stops no shadow", async () => {
    const folder = temporaryFolder();
    await opened({ state: folder });
    parts.disk.faults.set("write", "ENOSPC");
    expect((await start()).status).toBe(200);
    await settle();
    expect(parts.log.text).toContain("The shadow's pairs could not be saved (ENOSPC).");
    parts.disk.faults.clear();
    await parts.clock.advance(6000);
    await report("w0", pairsOf(3));
    await again(folder);
    expect((await state()).pairs.pairs).toBe(3);
  });

  it("goes to the program that takes this one's place, and comes back from it", async () => {
    await start();
    await report("w0", pairsOf(7));
    const handed = await parts.plane.give();
    expect((await start()).status).toBe(503);
    await parts.plane.takeBack();
    expect((await state()).pairs.pairs).toBe(7);
    await parts.plane.give();
    await opened({}, { handed: JSON.parse(JSON.stringify(handed)) });
    expect(view()).toMatchObject({ color: "green", percent: 25 });
    expect((await state()).pairs.pairs).toBe(7);
  });
});
