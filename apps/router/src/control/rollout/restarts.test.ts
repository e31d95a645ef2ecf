import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { BLUE, GREEN, testPlane } from "../../../test/support/control-plane.ts";
import { COLORS, PLAN, says, scene, started } from "../../../test/support/control-rollout.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { StartError } from "../start-error.ts";

describe("the disk", () => {
  it("has the rollout with its evidence for the router that starts next", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.serve(100, { candidate: 1 });
    await test.clock.advance(2000);
    const before = await test.current();
    await test.plane.stop();
    const next = await scene({ state });
    const after = await next.current();
    expect(after).toMatchObject({ id: before.id, phase: "shifting", evidence: before.evidence });
    await next.serve(100, { candidate: 1 });
    await next.clock.advance(1000);
    // the run of the worker is known, so that what was booked before does not count twice
    expect((await next.current()).evidence.tallies.errors.strata[0].candidate).toEqual({
      requests: 10,
      bad: 1,
    });
    await next.plane.stop();
  });

  it("has the rollout for a router that starts later, and no step is waited for meanwhile", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.clock.advance(2000);
    const { step } = await test.current();
    await test.plane.stop();
    const clock = new FakeClock();
    await clock.advance(test.clock.ticks() + 50_000);
    const next = await scene({ state }, { clock });
    await clock.advance(1000);
    expect((await next.current()).step.seconds).toBeLessThanOrEqual(step.seconds + 1);
    await next.plane.stop();
  });

  it("has the weights, too, by the time an abort is answered", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    const { write } = test.disk;
    const written: string[] = [];
    test.disk.write = async (path, text) => {
      if (path.includes("state.json")) await new Promise((resolve) => setTimeout(resolve, 50)); // the slower of two files
      await write.call(test.disk, path, text);
      written.push(path);
    };
    expect((await test.call("POST", "/admin/rollouts/current/abort")).body.phase).toBe("aborted");
    expect(written.some((path) => path.includes("state.json"))).toBe(true);
    await test.plane.stop();
  });

  it("never gets a step that an abort overtook while it was being saved", async () => {
    const state = temporaryFolder();
    const test = await scene({ state });
    const { write } = test.disk;
    let release: (() => void) | undefined;
    test.disk.write = async (path, text) => {
      if (path.includes("state.json") && release === undefined) {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      await write.call(test.disk, path, text);
    };
    await test.call("POST", "/admin/rollouts", PLAN);
    await vi.waitFor(async () => {
      await test.clock.advance(250);
      expect(release).toBeDefined();
    });
    const answering = test.call("POST", "/admin/rollouts/current/abort");
    await vi.waitFor(async () => expect(await test.phase()).toBe("aborted"));
    release!();
    expect((await answering).body.saved).not.toBe(false);
    await test.plane.stop();
    expect(test.channel.last.colors.map(({ share }) => share)).toEqual([1, 0]);
    const { revision, weights } = JSON.parse(readFileSync(join(state, "state.json"), "utf8"));
    expect({ revision, weights }).toEqual({ revision: 2, weights: { blue: 100, green: 0 } });
  });

  it("gets the record of one that a change by hand ended, once", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    const { id } = await test.current();
    const body = { weights: { blue: 7, green: 3 }, abort_rollout: true };
    expect((await test.call("POST", "/admin/weights", body)).status).toBe(200);
    const path = join(state, "releases", `${id}.json`);
    const kept = await vi.waitFor(() => JSON.parse(readFileSync(path, "utf8")));
    expect(kept).toMatchObject({ phase: "aborted", share: 30 });
    await test.plane.stop();
    expect(test.log.text).not.toContain("could not be saved");
  });

  it("lists the records that are whole, and warns of one that lacks what lists need", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.call("POST", "/admin/rollouts/current/abort");
    await test.clock.advance(2000);
    const { id } = await test.current();
    const folder = join(state, "releases");
    const kept = await vi.waitFor(() => JSON.parse(readFileSync(join(folder, `${id}.json`), "utf8")));
    await test.plane.stop();
    const odd = { zzz: {}, yyy: { ...kept, stable: null }, xxx: { ...kept, log: [{}] }, whole: kept };
    for (const [name, record] of Object.entries(odd))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...record, id: name }));
    const next = await scene({ state });
    const { status, body } = await next.call("GET", "/admin/rollouts");
    expect([status, body.rollouts.map((each: { id: string }) => each.id)]).toEqual([200, [id, "whole"]]);
    const warned = next.log.lines.filter(({ message }) => message.startsWith("A record of a release"));
    expect(warned.map(({ level, fields }) => [level, fields.file])).toEqual([
      ["warn", "xxx.json"],
      ["warn", "yyy.json"],
      ["warn", "zzz.json"],
    ]);
    expect(warned[1]!.fields.error).toContain("stable: ");
    await next.plane.stop();
  });

  it("has a rollback that has not ended, too", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    await test.serve(200, { candidate: 5 }, { green: 1 });
    const before = await test.current();
    expect([before.phase, await test.weights()]).toEqual(["rolling_back", { blue: 100, green: 0 }]);
    await test.plane.stop();
    const next = await scene({ state });
    // nothing is in flight after a restart
    const { phase, verdict, evidence } = await next.current();
    expect({ phase, verdict, evidence }).toEqual({
      ...{ phase: "rolled_back", verdict: before.verdict, evidence: before.evidence },
    });
    expect(await next.weights()).toEqual({ blue: 100, green: 0 });
    await next.plane.stop();
  });

  it("that is full holds no abort back, and no step goes on", async () => {
    const state = temporaryFolder();
    const test = await started({ state });
    test.disk.faults.set("write", "ENOSPC");
    await test.serve(2000);
    await test.clock.advance(30_000);
    expect(await test.weights()).toEqual({ blue: 90, green: 10 });
    const answering = test.call("POST", "/admin/rollouts/current/abort");
    await vi.waitFor(() => expect(test.channel.last.colors[0]!.share).toBe(1));
    await test.clock.advance(3000);
    expect((await answering).body).toMatchObject({ phase: "aborted", saved: false });
    test.disk.faults.clear();
    await test.plane.stop();
    const next = await scene({ state });
    expect([await next.phase(), await next.weights()]).toEqual(["aborted", { blue: 100, green: 0 }]);
    await next.plane.stop();
  });

  it("that is full refuses to start one", async () => {
    const test = await scene({ state: temporaryFolder() });
    test.disk.faults.set("write", "ENOSPC");
    const { status, body } = await test.call("POST", "/admin/rollouts", PLAN);
    expect([status, body.code]).toEqual([507, "not_saved"]);
    expect((await test.call("GET", "/admin/rollouts/current")).status).toBe(404);
    await test.plane.stop();
  });
});

it("goes on in the router that takes this one's place", async () => {
  const test = await started();
  await test.serve(100, { candidate: 1 });
  const before = await test.current();
  const handed = await test.plane.give();
  const next = await testPlane({ colors: COLORS }, { handed });
  next.plane.open();
  next.probe.results.set(BLUE, says("1.0.0", "old"));
  next.probe.results.set(GREEN, says("1.0.1", "new"));
  await next.clock.advance(2000);
  const after = (await next.call("GET", "/admin/rollouts/current")).body;
  expect(after).toMatchObject({ id: before.id, phase: "shifting", evidence: before.evidence });
  expect(next.channel.last.rollout!.id).toBe(before.id);
});

describe("what cannot be read at the start is named, with what was expected:", () => {
  it("a folder in the place of rollouts.json", async () => {
    const state = temporaryFolder();
    mkdirSync(join(state, "rollouts.json"));
    await expect(testPlane({ colors: COLORS, state })).rejects.toThrow(
      new StartError(
        `${join(state, "rollouts.json")} cannot be used (EISDIR): expected a file that this user can read, or none.`,
      ),
    );
  });

  it("a file in the place of the folder of releases", async () => {
    const state = temporaryFolder();
    writeFileSync(join(state, "releases"), "");
    await expect(testPlane({ colors: COLORS, state })).rejects.toThrow(
      new StartError(
        `${join(state, "releases")} cannot be used (EEXIST): expected a folder that this user can read and write.`,
      ),
    );
  });

  it.each([
    ["null\n", "its checksum does not match its content"],
    ["42\nnull", "its checksum does not match its content"],
    ["", "it is not JSON"],
  ])("what another router hands over, where it is %j", async (rollouts, why) => {
    const handed = { ...(await (await testPlane({ colors: COLORS })).plane.give()), rollouts };
    await expect(testPlane({ colors: COLORS }, { handed })).rejects.toThrow(
      new StartError(
        `What the running router hands over of rollouts is damaged (${why}): expected what its rollouts.json has.`,
      ),
    );
  });
});

it("sets a file aside that is JSON, and nothing that a router has written", async () => {
  const state = temporaryFolder();
  writeFileSync(join(state, "rollouts.json"), "null\n");
  const { plane, log } = await testPlane({ colors: COLORS, state });
  expect(log.text).toContain("error: Saved rollouts were set aside: damaged.");
  await plane.stop();
});
