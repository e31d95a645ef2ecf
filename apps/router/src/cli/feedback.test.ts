import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { problem } from "../../test/support/fake-admin.ts";
import { closing } from "../../test/support/open.ts";
import { BIN, expectRefusal, sluiceHere } from "../../test/support/sluice-command.ts";
import { refusedPort, upstream } from "../../test/support/upstream.ts";
import { ItemsError, readItems } from "../control/feedback/items.ts";

const open = closing();
const folder = mkdtempSync(join(tmpdir(), "sluice-feedback-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function file(...lines: string[]): string {
  const path = join(folder, `${files++}`);
  writeFileSync(path, lines.join("\n"));
  return path;
}

/** Takes feedback as a router does that remembers every id but `unknown`. The first `busy` calls find it in an upgrade. */
async function router({ busy = 0, saved = true, most = Number.POSITIVE_INFINITY } = {}) {
  const taken: unknown[] = [];
  const calls: number[] = [];
  let left = busy;
  const server = open(
    await upstream((_request, response, body) => {
      const answer = (status: number, value: unknown) =>
        response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
      if (left-- > 0) return answer(503, problem(503, "An upgrade is under way.").body);
      if (taken.length >= most) return answer(409, problem(409, "It is too much.").body);
      try {
        const items = readItems(JSON.parse(body.toString()));
        const unknown = items.filter(({ id }) => id === "unknown").length;
        taken.push(
          ...items.map(({ id, actual, row }) => (row === undefined ? [id, actual] : [id, actual, row])),
        );
        calls.push(items.length);
        answer(202, { accepted: items.length - unknown, repeated: 0, unknown, ...(saved ? {} : { saved }) });
      } catch (error) {
        if (!(error instanceof ItemsError)) throw error;
        answer(400, problem(400, `${error.message} Nothing was taken.`).body);
      }
    }),
  );
  const send = (...args: string[]) =>
    sluiceHere(["feedback", ...args, "--admin", server.url, "--token", "t0ken"]);
  return { taken, calls, send, server };
}

describe("sluice feedback", () => {
  it.each([
    [
      "JSON lines",
      ['{"request_id":"a","actual":12.5}', "", '{"request_id":"b","actual":[8.1,null]}'],
      [
        ["a", 12.5],
        ["b", [8.1, null]],
      ],
    ],
    [
      "CSV",
      ["\uFEFFrequest_id,actual\r", "a,12.5\r", '"b", -3\r', ""],
      [
        ["a", 12.5],
        ["b", -3],
      ],
    ],
    [
      "CSV with rows",
      ["row,actual,request_id", "1,12.5,a", ",7,b"],
      [
        ["a", 12.5, 1],
        ["b", 7],
      ],
    ],
    ["nothing", [], []],
  ])("sends what a file of %s says, with the token", async (_, lines, expected) => {
    const { taken, send, server } = await router();
    const run = await send(file(...lines));
    expect(run).toEqual({
      code: 0,
      stderr: "",
      stdout: `${expected.length} items: ${expected.length} new, 0 known already, 0 of requests that the router does not remember\n`,
    });
    expect(taken).toEqual(expected);
    for (const { headers } of server.seen) expect(headers.authorization).toBe("Bearer t0ken");
  });

  it("reads standard input, some hundred lines a call, and says what came of them", async () => {
    const { calls, server } = await router();
    const lines = Array.from(
      { length: 1200 },
      (_, i) => `{"request_id":"${i || "unknown"}","actual":${i}}\n`,
    );
    const args = [BIN, "feedback", "-", "--json", "--admin", server.url];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.end(lines.join(""));
    expect(await json(child.stdout)).toEqual({
      items: 1200,
      accepted: 1199,
      repeated: 0,
      unknown: 1,
      refused: 0,
      saved: true,
    });
    expect(calls).toEqual([500, 500, 200]);
  });

  it("sends no more than a call may have", async () => {
    const { calls, send } = await router();
    const actual = Array.from({ length: 1000 }, (_, i) => i + 0.5);
    const line = JSON.stringify({ request_id: "a", actual });
    expect((await send(file(...Array.from({ length: 60 }, () => line)))).code).toBe(0);
    expect(calls.length).toBeGreaterThan(1);
    expect(Math.max(...calls) * line.length).toBeLessThan(256 * 1024);
  });

  it("names the lines that are refused, here and by the router, and takes the others", async () => {
    const { taken, send } = await router();
    const bad = Array.from({ length: 8 }, (_, i) => `{"request_id":"x${i}","actual":"much"}`);
    const path = file(
      '{"request_id":"a","actual":1}',
      "oops",
      ...bad,
      "[1]",
      '{"request_id":"b","actual":2}',
    );
    const { code, stdout, stderr } = await send(path);
    expect(code).toBe(1);
    expect(stdout).toContain("2 items: 2 new");
    expect(taken).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    const expected = 'expected a JSON object like {"request_id":"…","actual":12.5}.';
    expect(stderr.split("\n").toSorted()).toEqual(
      [
        `sluice: ${path}, line 2: ${expected}`,
        `sluice: ${path}, line 11: ${expected}`,
        ...bad.map(
          (_, i) =>
            `sluice: ${path}, line ${i + 3}: actual is "much"; expected a number, or a list with one for each row.`,
        ),
        `sluice: 10 lines of ${path} were refused.`,
        "",
      ].toSorted(),
    );
  });

  it("names CSV that does not fit its header", async () => {
    const { taken, send } = await router();
    const path = file("request_id,actual", "a", "b,much", "c,", 'd,"1', "e,1e400", "f,5");
    const { code, stderr } = await send(path);
    expect(code).toBe(1);
    expect(stderr.match(/line \d+: .*/g)).toEqual([
      "line 2: expected request_id,actual.",
      'line 3: actual is "much"; expected a number.',
      'line 4: actual is ""; expected a number.',
      "line 5: expected request_id,actual.",
      'line 6: actual is "1e400"; expected a number.',
    ]);
    expect(taken).toEqual([["f", 5]]);
  });

  it.each([
    ["id,actual", "a,1"],
    ["hello", "you"],
  ])("refuses another header: %s", async (...lines) => {
    const { send } = await router();
    expectRefusal(
      await send(file(...lines)),
      1,
      /line 1: expected JSON lines like .*, or CSV with the header request_id,actual and, if you like, row\.\n$/,
    );
  });

  it.each([
    [
      "request_id,actual,actual",
      'the column "actual" is there twice; expected request_id, actual and, if you like, row.',
    ],
    [
      "request_id,\u001bactual,fare,actual,tip",
      'there are further columns, "\\u001bactual", "fare" and "tip"; expected request_id, actual and, if you like, row.',
    ],
    [
      "request_id,actual,fare",
      'there is a further column, "fare"; expected request_id, actual and, if you like, row.',
    ],
  ])("names what is too much in the header %j", async (header, why) => {
    const { send } = await router();
    const { code, stderr } = await send(file(header, "a,1,1"));
    expect(code).toBe(1);
    expect(stderr).toContain(`, line 1: ${why}\n`);
  });

  it("says what it cannot read, and whom it cannot reach, and what was taken before", async () => {
    const { send, server } = await router();
    expectRefusal(await send(join(folder, "none")), 1, /^sluice: \S+none does not exist\.\n$/);
    expectRefusal(await send(folder), 1, /cannot be read \(EISDIR\)\.\n$/);
    expectRefusal(await send(), 2, "missing required argument 'file'");
    const nobody = [
      "feedback",
      file('{"request_id":"a","actual":1}'),
      "--admin",
      `127.0.0.1:${await refusedPort()}`,
    ];
    expectRefusal(await sluiceHere(nobody), 1, /no router answers at .*\n$/);
    expect(server.seen).toEqual([]);
  });

  it("says how far it came where the router takes no more", async () => {
    const { taken, send } = await router({ most: 500 });
    const lines = Array.from({ length: 700 }, (_, i) => `{"request_id":"${i}","actual":1}`);
    expectRefusal(
      await send(file(...lines)),
      1,
      "It is too much. 500 items were taken before, which may be sent again.",
    );
    expect(taken).toHaveLength(500);
  });

  it("asks again while another program takes the router's place, and says what is not saved", async () => {
    const { taken, send } = await router({ busy: 1, saved: false });
    const { code, stderr } = await send(file('{"request_id":"a","actual":1}'));
    expect([code, stderr]).toEqual([0, "sluice: the router could not save it yet; it goes on trying.\n"]);
    expect(taken).toEqual([["a", 1]]);
  });
});
