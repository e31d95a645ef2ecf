import { describe, expect, it, vi } from "vitest";
import { remembering, served } from "../../../test/support/feedback.ts";
import type { Config } from "../../config/config.ts";
import { MAX_ITEMS } from "./items.ts";

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

  it("takes what is true of a request that was answered a moment ago, before any report says so", async () => {
    const { channel, send } = await remembering({}, served("1"));
    const collect = channel.collect.bind(channel);
    const asked = vi.spyOn(channel, "collect").mockImplementation(() => {
      channel.report();
      return collect();
    });
    channel.set({ worker: 0, epoch: 1, colors: {}, connections: 0, served: [served("2")] });
    const both = ["1", "2"].map((request_id) => ({ request_id, actual: 12 }));
    expect((await send(both)).body).toEqual({ accepted: 2, repeated: 0, unknown: 0 });
    expect((await send(both)).body).toEqual({ accepted: 0, repeated: 2, unknown: 0 });
    expect(asked).toHaveBeenCalledOnce(); // nobody is asked about what is known
  });

  it("asks workers once for many calls that come together, and takes what it knows when they do not answer", async () => {
    const { channel, send } = await remembering({}, served("1"));
    const asked = vi.spyOn(channel, "collect").mockRejectedValue(new Error("gone"));
    const calls = Array.from({ length: 50 }, (_, n) =>
      send([
        { request_id: "1", actual: 12 },
        { request_id: `u${n}`, actual: 12 },
      ]),
    );
    const all = (await Promise.all(calls)).map(({ body }) => body.accepted + body.repeated);
    expect(all).toEqual(all.map(() => 1));
    expect(asked.mock.calls.length).toBeLessThan(10);
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
    ['[{"request_id":"1","actual":1e999}]', /feedback\[0\]\.actual is Infinity; expected at most/],
    [
      [{ request_id: "1", actual: 1e16 }],
      /feedback\[0\]\.actual is 10000000000000000; expected at most 1000000000000000, on either/,
    ],
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
