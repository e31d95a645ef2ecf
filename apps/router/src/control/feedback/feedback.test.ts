import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { testConfig, testPlane } from "../../../test/support/control-plane.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Config } from "../../config/config.ts";
import type { Served } from "../../core/feedback/served.ts";
import { MAX_ITEMS } from "./items.ts";

const HOUR = 3_600_000;
const feedback: Config["feedback"] = { remember: 24 * HOUR, max: 1000, sample: 1 };
const START = Date.parse("2026-11-21T12:00:00Z");

const served = (id: string, more: Partial<Served> = {}): Served => ({
  id,
  at: START,
  color: "blue",
  digest: "sha256:a",
  predictions: [10],
  ...more,
});

/** A control plane whose data plane has answered some requests. */
async function remembering(changes: Partial<Config>, ...all: Served[]) {
  const parts = await testPlane({ feedback, ...changes });
  const answer = (...more: Served[]) => {
    parts.channel.set({ worker: 0, epoch: 1, colors: {}, connections: 0, served: more });
    parts.channel.report();
  };
  answer(...all);
  const send = (body: unknown) => parts.call("POST", "/feedback", body);
  const versions = async () => (await parts.call("GET", "/admin/feedback")).body.versions;
  return { ...parts, answer, send, versions };
}

const journals = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("feedback-"));

describe("POST /feedback", () => {
  it("takes one item, a list, or a named list, and answers what became of each", async () => {
    const { send, versions } = await remembering({}, served("1"), served("2"), served("3"));
    expect(await send({ request_id: "1", actual: 12 })).toMatchObject({
      status: 202,
      body: { accepted: 1, repeated: 0, unknown: 0 },
    });
    expect(
      (
        await send([
          { request_id: "1", actual: 99 },
          { request_id: "2", actual: 6 },
        ])
      ).body,
    ).toEqual({
      accepted: 1,
      repeated: 1,
      unknown: 0,
    });
    expect(
      (
        await send({
          feedback: [
            { request_id: "nobody", actual: 1 },
            { request_id: "3", actual: 10 },
          ],
        })
      ).body,
    ).toEqual({ accepted: 1, repeated: 0, unknown: 1 });
    expect((await send([])).body).toEqual({ accepted: 0, repeated: 0, unknown: 0 });
    expect(await versions()).toEqual([
      {
        color: "blue",
        digest: "sha256:a",
        shadow: false,
        rows: 3,
        mae: 2,
        rmse: Math.sqrt(20 / 3),
        bias: (10 - 12 + 10 - 6) / 3,
      },
    ]);
  });

  it("takes several rows at once, one by one, or some now and some later", async () => {
    const rows = { predictions: [1, 2, 3] };
    const { send, versions } = await remembering({}, served("1", rows), served("2", rows));
    expect((await send({ request_id: "1", actual: [1, null, 4] })).body).toMatchObject({ accepted: 1 });
    expect((await send({ request_id: "1", actual: [9, 4, null] })).body).toMatchObject({ accepted: 1 });
    const single = [2, 0, 2].map((row) => ({ request_id: "2", row, actual: 5 }));
    expect((await send(single)).body).toEqual({ accepted: 2, repeated: 1, unknown: 0 });
    expect(await versions()).toMatchObject([{ rows: 5, mae: (0 + 1 + 2 + 4 + 2) / 5 }]);
  });

  it.each<[unknown, RegExp]>([
    ["[", /not JSON/],
    [7, /the body is 7; expected \{"request_id"/],
    [{ feedback: 7 }, /feedback is 7; expected a list/],
    [{ feedback: [], more: 1 }, /"more" is no key; expected feedback alone/],
    [[{ request_id: "1", actual: 1 }, 7], /feedback\[1\] is 7; expected \{"request_id"/],
    [
      [{ request_id: "1", actual: 1 }, { request_id: "1" }],
      /feedback\[1\]\.actual is missing; expected a number/,
    ],
    [[{ request_id: "1", actual: "12.5" }], /feedback\[0\]\.actual is "12\.5"; expected a number/],
    ['[{"request_id":"1","actual":1e999}]', /feedback\[0\]\.actual is null; expected a number/],
    [[{ request_id: "1", actual: 1e16 }], /feedback\[0\]\.actual is 10000000000000000; expected a number/],
    [[{ request_id: "1", actual: [] }], /feedback\[0\]\.actual has 0 values; expected 1 to 1000/],
    [[{ request_id: "1", actual: ["x"] }], /feedback\[0\]\.actual\[0\] is "x"; expected a number, or null/],
    [
      [{ request_id: "1", actual: [1], row: 0 }],
      /feedback\[0\]\.actual is a list; expected a number, because a row/,
    ],
    [[{ request_id: "1", actual: 1, row: -1 }], /feedback\[0\]\.row is -1; expected a whole number/],
    [[{ request_id: "1", actual: 1, at: 5 }], /feedback\[0\] has "at"; expected request_id, actual and row/],
    [[{ request_id: "", actual: 1 }], /feedback\[0\]\.request_id is ""; expected the X-Request-Id/],
    [[{ request_id: "x".repeat(129), actual: 1 }], /feedback\[0\]\.request_id is "x+…; expected/],
    [[{ actual: 1 }], /feedback\[0\]\.request_id is missing/],
    [
      [
        { request_id: "1", actual: 1 },
        { request_id: "1", actual: [1, 2] },
      ],
      /feedback\[1\]\.actual has 2 values, and the request had 1 prediction; expected one for each/,
    ],
    [
      [{ request_id: "3", actual: 1 }],
      /feedback\[0\]\.actual is one number, and the request had 3 predictions/,
    ],
    [[{ request_id: "3", actual: 1, row: 3 }], /feedback\[0\]\.row is 3, and the request had 3 predictions/],
    [Array(MAX_ITEMS + 1).fill(0), new RegExp(`feedback has ${MAX_ITEMS + 1} items; expected at most`)],
    [
      Array(9).fill(1),
      /feedback\[0\] is 1; [^;]+; feedback\[1\].*; feedback\[4\] is 1; [^;]+; and 4 more\. Nothing was taken/,
    ],
  ])("refuses %j, and takes nothing of it", async (body, sentence) => {
    const { send, versions } = await remembering({}, served("1"), served("3", { predictions: [1, 2, 3] }));
    const { status, body: problem, headers } = await send(body);
    expect([status, headers.get("Content-Type")]).toEqual([400, "application/problem+json"]);
    expect(problem.detail).toMatch(sentence);
    expect(await versions()).toEqual([]);
  });

  it("refuses a body that is too large, absent, or no JSON by its type", async () => {
    const { send, call } = await remembering({});
    expect((await send(`[${" ".repeat(256 * 1024)}]`)).status).toBe(413);
    expect((await call("POST", "/feedback")).status).toBe(400);
    expect((await call("POST", "/feedback", "[]", { "Content-Type": "text/csv" })).status).toBe(415);
    expect((await call("GET", "/feedback")).status).toBe(405);
  });

  it("says where nothing is remembered", async () => {
    const { send, call } = await remembering({ feedback: undefined }, served("1"));
    expect((await send({ request_id: "1", actual: 1 })).body.detail).toMatch(/feedback is none/);
    expect((await call("GET", "/admin/feedback")).status).toBe(409);
  });

  it("is all that a token for feedback may do; those for reading and operating may not", async () => {
    const token = (scope: Config["admin"]["tokens"][number]["scope"]) => ({ token: `t-${scope}`, scope });
    const tokens = (["all", "operate", "read", "feedback"] as const).map(token);
    const listen = { host: "127.0.0.1", port: 0 };
    const { call } = await remembering({ admin: { listen, tokens } }, served("1"));
    const as = (scope: string) => ({ Authorization: `Bearer t-${scope}` });
    const item = { request_id: "1", actual: 1 };
    const status = async (scope: string) => (await call("POST", "/feedback", item, as(scope))).status;
    expect(await Promise.all(["all", "operate", "read", "feedback"].map(status))).toEqual([
      202, 403, 403, 202,
    ]);
    for (const path of [
      "/admin/feedback",
      "/admin/state",
      "/admin/history",
      "/metrics",
      "/admin/openapi.json",
    ]) {
      expect((await call("GET", path, undefined, as("feedback"))).status).toBe(403);
    }
    expect((await call("POST", "/admin/rollback", {}, as("feedback"))).status).toBe(403);
    expect((await call("POST", "/feedback", item)).status).toBe(401);
  });

  it("is part of the API's description", async () => {
    const { call } = await remembering({});
    const { paths } = (await call("GET", "/admin/openapi.json")).body;
    expect(Object.keys(paths["/feedback"].post.responses)).toEqual([
      "202",
      "400",
      "401",
      "403",
      "409",
      "413",
      "415",
      "503",
    ]);
  });
});

describe("metrics of feedback", () => {
  it("count items by what became of them, and sum errors by color from 0", async () => {
    const { send, call } = await remembering({}, served("1", { digest: "" }), served("2"));
    const text = async () => (await call("GET", "/metrics")).body as string;
    expect(await text()).toContain('sluice_feedback_rows_total{color="green"} 0');
    await send([
      { request_id: "1", actual: 12 },
      { request_id: "1", actual: 1 },
      { request_id: "x", actual: 1 },
    ]);
    await send([{ request_id: "2", actual: [] }]);
    for (const line of [
      'sluice_feedback_items_total{result="accepted"} 1',
      'sluice_feedback_items_total{result="repeated"} 1',
      'sluice_feedback_items_total{result="unknown"} 1',
      'sluice_feedback_items_total{result="malformed"} 1',
      'sluice_feedback_rows_total{color="blue"} 1',
      'sluice_feedback_absolute_error_total{color="blue"} 2',
      'sluice_feedback_squared_error_total{color="blue"} 4',
      'sluice_feedback_mae{color="blue"} 2',
      'sluice_feedback_rmse{color="blue"} 2',
      'sluice_feedback_bias{color="blue"} -2',
      "sluice_feedback_remembered_requests 2",
    ]) {
      expect(await text()).toContain(line);
    }
  });
});

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

describe("an upgrade", () => {
  it("hands what is remembered to the next router, and what is answered meanwhile", async () => {
    const state = temporaryFolder();
    const old = await remembering({ state }, served("1"));
    const handed = await old.plane.give();
    old.answer(served("2"));
    expect(await old.send({ request_id: "1", actual: 1 })).toMatchObject({ status: 503 });
    const next = await testPlane({ feedback, state }, { handed });
    const item = (id: string) => ({ request_id: id, actual: 1 });
    expect((await next.call("POST", "/feedback", item("1"))).status).toBe(503);
    next.plane.open();
    next.channel.set(await old.plane.summary([]));
    next.channel.report(-1);
    expect((await next.call("POST", "/feedback", [item("1"), item("2")])).body).toMatchObject({
      accepted: 2,
    });
    expect((await old.plane.summary([])).served).toBeUndefined();
    await next.plane.stop();
  });

  it("that fails leaves everything where it was", async () => {
    const state = temporaryFolder();
    const { plane, answer, send } = await remembering({ state }, served("1"));
    await plane.give();
    answer(served("2"));
    await plane.takeBack();
    expect(
      (
        await send([
          { request_id: "1", actual: 1 },
          { request_id: "2", actual: 1 },
        ])
      ).body,
    ).toMatchObject({
      accepted: 2,
    });
    await plane.stop();
  });
});
