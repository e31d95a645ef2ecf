import { expect, test } from "vitest";
import { admin } from "../../test/support/fake-admin.ts";
import { sluiceHere } from "../../test/support/sluice-command.ts";

const NONE = { pairs: 0, agree: 0, broken: 0, agreement: null, mean: null, p95: null, largest: null };
const summary = (pairs: number, agree: number) => ({
  ...{ pairs, agree, broken: 1, agreement: agree / pairs },
  ...{ mean: -0.123456, p95: 2, largest: 17.27 },
});
const STATE = {
  shadow: {
    color: "green",
    against: "blue",
    percent: 25,
    versions: { main: { version: "1.0.0", digest: "a" }, shadow: { version: null, digest: null } },
  },
  copies: { answered: 12, timeout: 1 },
  tolerance: { atol: 0.5, rtol: 0.02 },
  compares: true,
  pairs: summary(12, 9),
  slices: {
    "/n": { "> 2": summary(4, 4), "≤ 2": summary(4, 2), "≤ 1": summary(4, 3), missing: summary(1, 0) },
  },
  certificate: { passed: false, sentence: "3 of 12 pairs disagree" },
};

test("start asks for a color and a share, and shows what runs", async () => {
  const { url, seen } = await admin({
    "POST /admin/shadow": { body: { ...STATE, pairs: NONE, copies: {} } },
  });
  const args = ["shadow", "start", "green", "--percent", "25", "--reason", "a try", "--admin", url];
  expect(await sluiceHere(args)).toEqual({
    code: 0,
    stderr: "",
    stdout:
      "green gets copies of 25 % of the requests that blue (1.0.0) answers\ncopies: none yet\nno pairs yet\n",
  });
  expect(seen).toMatchObject([
    { call: "POST /admin/shadow", body: { color: "green", percent: 25, reason: "a try" } },
  ]);
});

test.each(["0", "-1", "100.1", "half", "", "NaN"])(
  "start refuses --percent %j, and asks for nothing",
  async (percent) => {
    const { url, seen } = await admin({});
    const { code, stdout, stderr } = await sluiceHere([
      "shadow",
      "start",
      "green",
      `--percent=${percent}`,
      "--admin",
      url,
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      `sluice: --percent is ${JSON.stringify(percent)}; expected a number above 0, up to 100.\n`,
    );
    expect(seen).toEqual([]);
  },
);

test("start says in one sentence why the router refuses", async () => {
  const detail = "blue has weight 100, and a shadow serves nobody; expected a color of weight 0.";
  const { url } = await admin({
    "POST /admin/shadow": { status: 409, type: "application/problem+json", body: { detail } },
  });
  expect(await sluiceHere(["shadow", "start", "blue", "--admin", url])).toEqual({
    code: 1,
    stdout: "",
    stderr: `sluice: ${detail}\n`,
  });
});

test("status shows pairs by slices in their order, and what they prove", async () => {
  const { url } = await admin({ "GET /admin/shadow": { body: STATE } });
  const { code, stdout } = await sluiceHere(["shadow", "status", "--admin", url]);
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
    "green gets copies of 25 % of the requests that blue (1.0.0) answers",
    "copies: 12 answered, 1 timeout",
    "requests    pairs  agree     mean  p95  largest  broken",
    "all            12   75 %  -0.1235    2    17.27       1",
    "/n ≤ 1          4   75 %  -0.1235    2    17.27       1",
    "/n ≤ 2          4   50 %  -0.1235    2    17.27       1",
    "/n > 2          4  100 %  -0.1235    2    17.27       1",
    "/n missing      1    0 %  -0.1235    2    17.27       1",
    "agree: within 0.5 + 2 % of the main prediction",
    "3 of 12 pairs disagree",
    "",
  ]);
});

test("what clients sent writes no lines of its own, and no colors", async () => {
  const slices = { "/n": { "\u001b[31mx\nall 9\u009b1m": summary(1, 1) } };
  const worst = {
    request_id: "r",
    at: "2026-11-21T12:00:00Z",
    main: 1,
    shadow: 2,
    difference: 1,
    outcome: "answered",
  };
  const { url } = await admin({
    "GET /admin/shadow": { body: { ...STATE, slices } },
    "GET /admin/shadow/worst": {
      body: { worst: [{ ...worst, slices: { "/n": "\u001b[31m\nx" }, body: "{\n}\u001b[0m" }] },
    },
  });
  const status = await sluiceHere(["shadow", "status", "--admin", url]);
  expect(status.stdout).toMatch(/^\/n \uFFFD\[31mx\uFFFDall 9\uFFFD1m +1 /m);
  const { stdout } = await sluiceHere(["shadow", "worst", "--admin", url]);
  expect(stdout.split("\n")).toHaveLength(3);
  expect(stdout).not.toContain("\u001b");
});

test("status says where nothing runs, and where nothing is compared", async () => {
  const { url } = await admin({ "GET /admin/shadow": { body: { ...STATE, shadow: null, compares: false } } });
  const { stdout } = await sluiceHere(["shadow", "status", "--admin", url]);
  expect(stdout).toBe("no shadow runs\nnothing is compared: the configuration has no `predictions`\n");
});

test("stop ends it, and shows what was found", async () => {
  const { url, seen } = await admin({ "DELETE /admin/shadow": { body: { ...STATE, shadow: null } } });
  const { stdout } = await sluiceHere(["shadow", "stop", "--admin", url]);
  expect(stdout).toMatch(/^no shadow runs\nrequests .*\nall +12 /);
  expect(seen.map(({ call }) => call)).toEqual(["DELETE /admin/shadow"]);
});

test("worst shows the pairs that differ most, with bodies only where they are kept", async () => {
  const pair = { request_id: "trip-1", at: "2026-11-21T12:00:00Z", main: 3.32, outcome: "answered" };
  const differs = { ...pair, shadow: 20.59, difference: 17.27, slices: { "/n": "≤ 1" } };
  const broken = {
    ...pair,
    request_id: "trip-2",
    shadow: null,
    difference: null,
    outcome: "timeout",
    slices: {},
  };
  const { url } = await admin({ "GET /admin/shadow/worst": { body: { worst: [differs, broken] } } });
  const { stdout } = await sluiceHere(["shadow", "worst", "--admin", url]);
  expect(stdout.split("\n").map((line) => line.trimEnd())).toEqual([
    "request  main  shadow  difference           slice",
    "trip-1   3.32   20.59       17.27           /n ≤ 1",
    "trip-2   3.32       –           –  timeout",
    "",
  ]);
  const kept = await admin({
    "GET /admin/shadow/worst": { body: { worst: [{ ...differs, body: '{"n":1}' }] } },
  });
  expect((await sluiceHere(["shadow", "worst", "--admin", kept.url])).stdout).toMatch(/body\s*\n.*\{"n":1\}/);
  const none = await admin({ "GET /admin/shadow/worst": { body: { worst: [] } } });
  expect((await sluiceHere(["shadow", "worst", "--admin", none.url])).stdout).toBe("no pairs that differ\n");
});

test("--json prints what the router said", async () => {
  const { url } = await admin({ "GET /admin/shadow": { body: STATE } });
  expect(JSON.parse((await sluiceHere(["--json", "shadow", "status", "--admin", url])).stdout)).toEqual(
    STATE,
  );
});
