import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sluice } from "../../../test/support/sluice-command.ts";
import { toLines } from "../../core/evidence/lines.ts";
import { TallyCounter } from "../../core/evidence/tally-counter.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string): string {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, text);
  return path;
}

const line = (rho: number, candidate: boolean, more: object = {}) => ({
  ...{ rho, candidate, bad: true, guard: "errors" },
  ...more,
});
const lines = (...all: readonly object[]) => all.map((each) => `${JSON.stringify(each)}\n`).join("");

interface Output {
  readonly guard: string;
  readonly e: number;
  readonly log10_e: number;
  readonly threshold: number;
  readonly verdict: string;
}

/** What the real command prints with --json. */
async function replay(text: string, ...more: string[]): Promise<Output[]> {
  const run = await sluice(["replay", "--json", "--evidence", file(text), ...more]);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(0);
  return run.stdout
    .split("\n")
    .filter((each) => each !== "")
    .map((each) => JSON.parse(each) as Output);
}

describe("sluice replay", () => {
  it.each<[string, number, readonly object[], string[]]>([
    ["three at .1", 111.844, [line(0.1, true, { n: 3 })], []],
    ["eight at .5", 69.302, [line(0.5, true, { n: 8 })], []],
    ["nine at .5", 125.741, [line(0.5, true, { n: 9 })], []],
    ["five at .1 against 1.2", 2967.598, [line(0.1, true, { n: 5 })], ["--phi0", "1.2"]],
    ["five slow ones at .1", 2967.598, [line(0.1, true, { n: 5, guard: "slow" })], []],
    [
      "a course of weights",
      10.5251,
      [
        line(0.05, true),
        ...[1, 2, 3].map(() => line(0.05, false)),
        ...[line(0.25, true), line(0.25, true), line(0.25, false), line(0.25, true)],
      ],
      [],
    ],
  ])("reproduces the vector: %s → %f", async (_what, expected, all, options) => {
    const [result, ...rest] = await replay(lines(...all), ...options);
    expect(rest).toEqual([]);
    expect(Object.keys(result!)).toEqual(["guard", "e", "log10_e", "threshold", "verdict"]);
    expect(result!.e).toBeCloseTo(expected, expected > 1000 ? 2 : 3);
    expect(result!.log10_e).toBeCloseTo(Math.log10(result!.e), 12);
  });

  it("shares alpha among the guards of the file, and rolls back at K / alpha", async () => {
    const one = lines(line(0.1, true, { n: 3 }));
    expect(await replay(one)).toMatchObject([{ threshold: 100, verdict: "rollback" }]);
    expect(await replay(one, "--alpha", "0.005")).toMatchObject([{ threshold: 200, verdict: "hold" }]);
    const two = one + lines(line(0.5, false, { guard: "somebody's own guard", bad: false }));
    expect(await replay(two)).toMatchObject([
      { guard: "errors", threshold: 200, verdict: "hold" },
      { guard: "somebody's own guard", e: 1, log10_e: 0, verdict: "hold" },
    ]);
  });

  it("goes by what the file says of its guards, unless the user says another", async () => {
    const two = lines(
      line(0.1, true, { n: 5, phi0: 1.2, alpha: 0.02 }),
      line(0.1, true, { n: 0, guard: "b" }),
    );
    const [errors] = await replay(two);
    expect(errors!.e).toBeCloseTo(2967.598, 2);
    expect(errors!.threshold).toBe(100);
    const [other] = await replay(two, "--phi0", "1", "--alpha", "0.01");
    expect(other!.e).toBeGreaterThan(3000);
    expect(other!.threshold).toBe(200);
  });

  it("learns nothing from weights of 0 and 1, from good requests, and from none", async () => {
    const none = [line(0, false), line(1, true, { n: 1000 }), line(0.5, true, { bad: false, n: 1e9 })];
    expect(await replay(lines(...none, line(0.1, true, { n: 0 })))).toMatchObject([
      { e: 1, verdict: "hold" },
    ]);
  });

  it("knows no infinity, which JSON has not", async () => {
    const [huge] = await replay(lines(line(0.1, true, { n: 1e6 })));
    expect(huge!.e).toBe(Number.MAX_VALUE);
    expect(huge!.log10_e).toBeGreaterThan(1e5);
    expect(huge!.verdict).toBe("rollback");
  });

  it("gives what a recorded tally amounted to", async () => {
    const counter = new TallyCounter();
    counter.add(0.05, true, true, 4);
    counter.add(0.05, false, true, 9);
    counter.add(0.25, true, false, 300);
    const recorded = lines(...toLines("errors", counter.tally()));
    expect(await replay(recorded)).toEqual(
      await replay(lines(line(0.05, true, { n: 4 }), line(0.05, false, { n: 9 }))),
    );
  });

  it("shows people the arithmetic", async () => {
    const run = await sluice([
      "replay",
      "--evidence",
      file(lines(line(0.1, true, { n: 3 }), line(0.1, false))),
    ]);
    expect(run.stdout).toMatch(/errors +3 of 3 +1 of 1 +\d+ +100 +hold/);
    expect(run.stdout).toContain("Verdict: hold.");
    const breach = await sluice(["replay", "--evidence", file(lines(line(0.1, true, { n: 4 })))]);
    expect(breach.stdout).toMatch(
      /Verdict: roll back \(errors: candidate 4 of 4, stable 0 of 0; evidence \d+ ≥ 100\)/,
    );
  });

  it("pauses, as the router does, where the stable color is above an absolute limit as well", async () => {
    const objective = { guard: "objective", max: 0.01 };
    const own = [
      line(0.5, true, { ...objective, n: 30 }),
      line(0.5, true, { ...objective, bad: false, n: 470 }),
    ];
    const stable = (bad: number) => [
      line(0.5, false, { ...objective, n: bad }),
      line(0.5, false, { ...objective, bad: false, n: 500 - bad }),
    ];
    const both = lines(...own, ...stable(25));
    const [paused] = await replay(both);
    expect(paused!.e).toBeGreaterThan(paused!.threshold);
    expect(paused!.verdict).toBe("hold");
    expect(await replay(lines(...own, ...stable(1)))).toMatchObject([{ verdict: "rollback" }]);
    const text = async (all: string) => (await sluice(["replay", "--evidence", file(all)])).stdout;
    expect(await text(both)).toMatch(/objective +30 of 500 +25 of 500 .* pause\n/);
    expect(await text(both)).toMatch(/Verdict: pause \(.*, and the stable color is above it, too\)\.\n/);
    expect(await text(both + lines(line(0.1, true, { n: 9 })))).toContain("Verdict: roll back (errors: ");
  });

  it.each([
    ["an empty file", ""],
    ["blank lines", "\n \n\r\n"],
  ])("holds on %s", async (_what, text) => {
    expect(await replay(text)).toEqual([]);
    const run = await sluice(["replay", "--evidence", file(text)]);
    expect(run).toEqual({ code: 0, stdout: "No evidence: hold.\n", stderr: "" });
  });

  it("reads what other systems write: a byte order mark, CRLF, no last line end, further keys", async () => {
    const text = `\uFEFF${JSON.stringify(line(0.1, true, { n: 2, at: "noon" }))}\r\n${JSON.stringify(line(0.1, true))}`;
    expect((await replay(text))[0]!.e).toBeCloseTo(111.844, 3);
  });

  it("reads standard input, as large as it is, in bounded memory", async () => {
    const child = spawn(
      process.execPath,
      [
        "--max-old-space-size=64",
        join(import.meta.dirname, "../../../bin/sluice.js"),
        "replay",
        "--json",
        "--evidence",
        "-",
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const many = lines(line(0.1, true, { bad: false })).repeat(20_000);
    for (let i = 0; i < 40; i++) if (!child.stdin.write(many)) await once(child.stdin, "drain");
    child.stdin.end(lines(line(0.1, true, { n: 3 })));
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(JSON.parse(out).e).toBeCloseTo(111.844, 3);
  });

  it.each([
    ["what is no JSON", "{", "It is not JSON"],
    ["a list", "[1]", "It is not an object"],
    ["null", "null", "It is not an object"],
    ["no guard", '{"rho":0.1,"candidate":true,"bad":true}', '"guard" is missing'],
    ["a weight above 1", lines(line(1.1, true)), '"rho" is 1.1'],
    ["a weight of text", lines(line(0, true, { rho: "0.1" })), '"rho" is "0.1"'],
    ["half a request", lines(line(0.1, true, { n: 0.5 })), '"n" is 0.5'],
    ["fewer than none", lines(line(0.1, true, { n: -1 })), '"n" is -1'],
    ["a color of text", lines(line(0.1, true, { candidate: "yes" })), '"candidate" is "yes"'],
    ["a tolerance beyond numbers", lines(line(0.1, true, { phi0: 1e308 })), '"phi0" is 1e+308'],
    ["ratios beyond numbers", lines(line(0.1, true, { ratios: [1e308] })), "A ratio of errors is 1e+308"],
    ["a count that cannot be counted", lines(line(0.1, true, { n: 1e300 })), '"n" is 1e+300'],
    ["a tolerance that is none", lines(line(0.1, true, { phi0: 0 })), '"phi0" is 0'],
    ["a limit beyond all", lines(line(0.1, true, { max: 1 })), '"max" is 1'],
    ["a risk of text", lines(line(0.1, true, { alpha: "low" })), '"alpha" is "low"'],
    ["ratios below 1", lines(line(0.1, true, { ratios: [0.5] })), "A ratio of errors is 0.5"],
    ["a line without an end", "x".repeat(70_000), "It has more than 65,536 characters"],
  ])("names the file and the line with %s, in one sentence", async (_what, bad, why) => {
    const path = file(`${lines(line(0.1, true))}\n${bad}`);
    const run = await sluice(["replay", "--evidence", path]);
    expect(run.code).toBe(1);
    expect(run.stdout).toBe("");
    expect(run.stderr).toMatch(/^sluice: [^\n]*\n$/);
    expect(run.stderr).toContain(`${path}, line 3: ${why}`);
    expect(run.stderr).toContain("expected");
  });

  it("refuses a file with guards without end", async () => {
    const all = Array.from({ length: 1001 }, (_, i) => line(0.1, true, { guard: `g${i}` }));
    const run = await sluice(["replay", "--evidence", file(lines(...all))]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("line 1001: It names the 1001st guard; expected at most 1000.");
  });

  it("says so where the file cannot be read", async () => {
    const missing = await sluice(["replay", "--evidence", join(folder, "missing")]);
    expect(missing).toMatchObject({
      code: 1,
      stderr: `sluice: ${join(folder, "missing")} cannot be read (ENOENT).\n`,
    });
    expect(await sluice(["replay", "--evidence", folder])).toMatchObject({ code: 1 });
  });

  it.each([
    [["--alpha", "0"], "--alpha is 0"],
    [["--alpha", "1"], "--alpha is 1"],
    [["--alpha", "1e-320"], "at least 1e-12"],
    [["--phi0", "1e308"], "--phi0 is 1e308; expected a number from 0.000001 to 1,000,000"],
    [["--alpha", "x"], '--alpha is "x"'],
    [["--phi0", "0"], "--phi0 is 0"],
    [["--phi0", "-1"], '--phi0 is "-1"'],
  ])("refuses %j as bad usage", async (options, why) => {
    const run = await sluice(["replay", "--evidence", file(""), ...options]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(why);
  });
});
