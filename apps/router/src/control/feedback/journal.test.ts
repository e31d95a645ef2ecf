import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { testConfig } from "../../../test/support/control-plane.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { FakeLog } from "../../../test/support/fake-log.ts";
import { feedback, HOUR, journals, remembering, served } from "../../../test/support/feedback.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { disk } from "../disk.ts";
import { MAX_ITEMS } from "./items.ts";
import { FeedbackJournal } from "./journal.ts";

describe("what is remembered for feedback", () => {
  it("takes its version from the color's checks where an answer does not say it", async () => {
    const { answer, send, versions, probe, clock } = await remembering({});
    const check = { ok: true, detail: "200 OK", version: "1.0.0", digest: "sha256:checked" };
    probe.results.set("http://127.0.0.1:8001", check);
    await clock.advance(5000);
    answer(served("1", { digest: "" }));
    await send({ request_id: "1", actual: 1 });
    expect(await versions()).toMatchObject([{ digest: "sha256:checked" }]);
  });

  it("survives a restart, with actual values and copies, in files that only their owner reads", async () => {
    const state = temporaryFolder();
    const first = await remembering(
      { state },
      served("1"),
      served("2"),
      served("3", { predictions: [1, 2] }),
    );
    first.answer(served("2", { color: "green", digest: "sha256:b", predictions: [11], shadow: true }));
    await first.send([
      { request_id: "2", actual: 12 },
      { request_id: "3", row: 1, actual: 4 },
    ]);
    const before = await first.versions();
    await first.plane.stop();
    for (const name of journals(state)) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
    const second = await remembering({ state });
    expect(await second.versions()).toEqual(before);
    expect(
      (
        await second.send([
          { request_id: "1", actual: 9 },
          { request_id: "2", actual: 99 },
          { request_id: "3", actual: [0, 0] },
        ])
      ).body,
    ).toEqual({ accepted: 2, repeated: 1, unknown: 0 });
    expect((await second.call("GET", "/metrics")).body).toContain(
      'sluice_feedback_rows_total{color="blue"} 2',
    );
    await second.plane.stop();
  });

  it("is written once for each part, in whatever order its lines come", async () => {
    const clock = new FakeClock();
    const written: string[] = [];
    const slow = {
      ...disk,
      append: async (path: string, text: string) => void written.push(`${path} ${text}`),
    };
    const journal = new FeedbackJournal({ folder: "/x", disk: slow, clock, log: new FakeLog() });
    let saved = 0;
    for (let i = 0; i < 3000; i++) journal.append(i % 3, `${i}\n`, () => saved++);
    await journal.flush();
    expect([written.length, saved]).toEqual([3, 3000]);
    expect(written.map((text) => text.split("\n").length)).toEqual([1002, 1002, 1002]);
    expect(written[1]).toMatch(/^\/x\/feedback-00000001.jsonl \n1\n4\n7\n/);
  });

  it("is no longer for rows that are told one by one, and read as it was", async () => {
    const options = { state: temporaryFolder(), feedback: { ...feedback!, max: 100_000 } };
    const rows = { predictions: Array.from({ length: 1000 }, (_, row) => row) };
    const first = await remembering(options, served("1", rows), served("2", rows));
    for (let row = 0; row < 1000; row++) await first.send({ request_id: "1", row, actual: row + 2 });
    await first.send({ request_id: "2", actual: rows.predictions.map((row) => (row % 2 ? row : null)) });
    const before = await first.versions();
    expect(before).toMatchObject([{ rows: 1500, mae: 2 * (1000 / 1500) }]);
    await first.plane.stop();
    const [file] = journals(options.state).map((name) => join(options.state, name));
    expect(statSync(file!).size).toBeLessThan(60_000);
    appendFileSync(
      file!,
      '["a","2",{"rows":[[0,1],[2000,1]]}]\n["a","2",{"rows":[7]}]\n["a","2",{"rows":[[0,null]]}]\n',
    );
    const second = await remembering(options);
    expect(await second.versions()).toEqual(before);
    await second.plane.stop();
  });

  it("may be larger than any string: it is read in pieces", async () => {
    const file = join(temporaryFolder(), "lines");
    const lines = Array.from({ length: 60_000 }, (_, n) => `${n} ${"é".repeat(n % 40)}`);
    writeFileSync(file, lines.join("\n"));
    const pieces: (readonly string[])[] = [];
    for await (const piece of disk.lines(file)) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.flat()).toEqual(lines);
    for await (const piece of disk.lines(`${file}.none`)) expect(piece).toEqual([""]);
    await expect(disk.lines(temporaryFolder())[Symbol.asyncIterator]().next()).rejects.toThrow("EISDIR");
  });

  it("survives a file that was cut off at any byte, or is damaged, as far as it is whole", async () => {
    const state = temporaryFolder();
    const first = await remembering({ state }, served("1"), served("2"));
    await first.send({ request_id: "1", actual: 12 });
    await first.plane.stop();
    const [file] = journals(state).map((name) => join(state, name));
    const whole = readFileSync(file!);
    for (let length = whole.length; length >= 0; length -= 7) {
      writeFileSync(file!, whole);
      truncateSync(file!, length);
      const next = await remembering({ state });
      const answer = (
        await next.send([
          { request_id: "1", actual: 1 },
          { request_id: "2", actual: 1 },
        ])
      ).body;
      expect(answer.accepted + answer.repeated + answer.unknown).toBe(2);
      if (length > 150) expect(answer.unknown).toBe(0);
      await next.plane.stop();
      const last = await remembering({ state });
      expect((await last.send({ request_id: "2", actual: 1 })).body.accepted).toBe(0);
      await last.plane.stop();
    }
    appendFileSync(file!, '\n["s","3"]\n\u0000\u0001\n["a","1",["x"]]\n[[]]\n');
    const damaged = await remembering({ state });
    expect(damaged.log.text).toMatch(/warn: Lines of feedback were cut off and are left out/);
    await damaged.plane.stop();
  });

  it("costs a full disk nothing but itself, and is saved once there is room again", async () => {
    const state = temporaryFolder();
    const { send, disk, clock, log, plane, answer } = await remembering({ state }, served("1"));
    disk.faults.set("append", "ENOSPC");
    answer(served("2"));
    const sending = send([
      { request_id: "1", actual: 12 },
      { request_id: "2", actual: 12 },
    ]);
    await clock.advance(3000);
    expect(await sending).toMatchObject({ status: 202, body: { accepted: 2, saved: false } });
    expect(log.text).toMatch(/error: What is remembered for feedback cannot be saved; requests go on/);
    disk.faults.clear();
    await clock.advance(10_000);
    await plane.stop();
    expect(log.text).toMatch(/info: What is remembered for feedback is saved again/);
    const next = await remembering({ state });
    expect(
      (
        await next.send([
          { request_id: "1", actual: 1 },
          { request_id: "2", actual: 1 },
        ])
      ).body,
    ).toEqual({
      accepted: 0,
      repeated: 2,
      unknown: 0,
    });
    await next.plane.stop();
  });

  it("loses nothing to a disk that was full in the middle of a line", async () => {
    const state = temporaryFolder();
    const { send, disk, clock, plane } = await remembering({ state }, served("1"), served("2"));
    await clock.advance(1000);
    await vi.waitFor(() => expect(journals(state)).toHaveLength(1));
    const whole = disk.append;
    disk.append = async (path, text) => {
      await whole(path, text.slice(0, 8));
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    const first = send({ request_id: "1", actual: 12 });
    await clock.advance(3000);
    expect((await first).body).toMatchObject({ accepted: 1, saved: false });
    disk.append = whole;
    await clock.advance(10_000);
    await plane.stop();
    const next = await remembering({ state });
    const again = [1, 2].map((id) => ({ request_id: `${id}`, actual: 1 }));
    expect((await next.send(again)).body).toEqual({ accepted: 1, repeated: 1, unknown: 0 });
    await next.plane.stop();
  });

  it("waits for a hanging disk for two seconds and no longer", async () => {
    const { send, disk, clock } = await remembering({ state: temporaryFolder() }, served("1"));
    disk.hang = new Promise(() => {});
    const sending = send({ request_id: "1", actual: 12 });
    await clock.advance(2000);
    expect((await sending).body).toEqual({ accepted: 1, repeated: 0, unknown: 0, saved: false });
  });

  it("starts without what a broken disk keeps to itself", async () => {
    const state = temporaryFolder();
    const first = await remembering({ state }, served("1"));
    await first.plane.stop();
    const [file] = journals(state);
    writeFileSync(join(state, file!), ""); // nothing whole in it
    const next = await remembering({ state });
    expect((await next.send({ request_id: "1", actual: 1 })).body.unknown).toBe(1);
    expect(journals(state)).toEqual([]);
    await next.plane.stop();
  });

  it("is bounded on the disk, too: forgotten parts and their files go", async () => {
    const state = temporaryFolder();
    const { answer, clock, plane, call } = await remembering({ state });
    for (let n = 0; n < 5000; n++) answer(served(`${n}`));
    await clock.advance(2000);
    expect(journals(state).length).toBeLessThanOrEqual(9);
    expect((await call("GET", "/admin/feedback")).body.remembered).toBeLessThanOrEqual(1000);
    await clock.advance(25 * HOUR);
    expect(journals(state)).toEqual([]);
    await plane.stop();
  });

  it("does not grow by a million repetitions and unknown ids", async () => {
    const state = temporaryFolder();
    const { plane, send, call } = await remembering({ state }, served("1"));
    const batch = Array.from({ length: MAX_ITEMS }, (_, n) => ({
      request_id: n % 2 === 0 ? "1" : `u${n}`,
      actual: 12,
    }));
    for (let round = 0; round < 200; round++) expect((await send(batch)).status).toBe(202);
    const metrics = (await call("GET", "/metrics")).body;
    expect(metrics).toContain('sluice_feedback_items_total{result="repeated"} 499999');
    expect(metrics).toContain('sluice_feedback_items_total{result="unknown"} 500000');
    await plane.stop();
    const [file, ...others] = journals(state).map((name) => join(state, name));
    expect([others, statSync(file!).size < 300]).toEqual([[], true]);
  }, 60_000);

  it("goes with the configuration that is read again", async () => {
    const state = temporaryFolder();
    const { plane, send, call } = await remembering({ state }, served("1"));
    await plane.reload(testConfig({ state, feedback: undefined }));
    expect((await send({ request_id: "1", actual: 1 })).status).toBe(409);
    await plane.reload(testConfig({ state, feedback }));
    expect((await call("GET", "/admin/feedback")).body.remembered).toBe(0);
    await plane.stop();
  });
});
