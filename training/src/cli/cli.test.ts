import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@sluice/model";
import { describe, expect, test } from "vitest";
import { fileOf, folder, goodRow, header, madeUp } from "../../test/trips-csv.ts";

const cli = (name: string) => join(import.meta.dirname, `${name}.ts`);

function run(name: "train" | "evaluate", args: string[], cwd = folder(), more: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, INIT_CWD: cwd, ...more };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli(name), ...args], {
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const trainArgs = (csv: string, out: string) => [
  "--csv",
  csv,
  "--recipe",
  "baseline",
  "--version",
  "1.0.0",
  "--out",
  out,
];

describe("train and evaluate", () => {
  test("train in plain lines, then evaluate as one JSON object; paths count from where npm was called", () => {
    const cwd = folder();
    writeFileSync(join(cwd, "trips.csv"), madeUp(400));
    const trained = run("train", trainArgs("trips.csv", "out/1.0.0"), cwd);
    expect(trained).toMatchObject({ status: 0, stderr: "" });
    expect(trained.stdout).toMatch(
      /^400 rows read, 0 dropped\n320 rows to fit, 80 to test \(seed 1\)\nrecipe baseline: RMSE /,
    );
    expect(trained.stdout).not.toContain("\u001b");
    expect(readdirSync(join(cwd, "out", "1.0.0")).sort()).toEqual([
      "metrics.json",
      "model.json",
      "report.html",
    ]);
    const evaluated = run("evaluate", ["--model", "out/1.0.0/model.json", "--csv", "trips.csv"], cwd);
    expect(evaluated).toMatchObject({ status: 0, stderr: "" });
    expect(Object.keys(JSON.parse(evaluated.stdout))).toEqual([
      "rmse",
      "mae",
      "r2",
      "rows_used",
      "rows_dropped",
    ]);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ rows_used: 400, rows_dropped: 0 });
  });

  test("a build that is to be repeated says what the present is", () => {
    const cwd = folder();
    writeFileSync(join(cwd, "trips.csv"), madeUp(400));
    run("train", trainArgs("trips.csv", "out"), cwd, { SOURCE_DATE_EPOCH: "1700000000" });
    const model = JSON.parse(readFileSync(join(cwd, "out", "model.json"), "utf8"));
    expect(model.created).toBe("2023-11-14T22:13:20.000Z");
    const refused = run("train", trainArgs("trips.csv", "other"), cwd, { SOURCE_DATE_EPOCH: "noon" });
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toBe('train: SOURCE_DATE_EPOCH is "noon": expected whole seconds since 1970.\n');
    expect(readdirSync(cwd)).not.toContain("other");
  });

  test("help has an example and exits with 0", () => {
    for (const name of ["train", "evaluate"] as const) {
      const { status, stdout } = run(name, ["--help"]);
      expect(status).toBe(0);
      expect(stdout).toContain(`npm run -s ${name} -- `);
    }
  });
});

describe("bad input gets one sentence and exit 2, and writes nothing", () => {
  const good = () => fileOf(madeUp(400));
  const cases: [string, () => string[], RegExp][] = [
    ["a missing file", () => trainArgs("nothing.csv", "out"), /nothing\.csv does not exist\.$/],
    ["a directory", () => trainArgs(folder(), "out"), / is a directory: expected a CSV file\.$/],
    [
      "missing columns",
      () => trainArgs(fileOf("a,fare_amount\n1,2\n"), "out"),
      / lacks the columns pickup_datetime, /,
    ],
    [
      "no usable rows",
      () => trainArgs(fileOf(`${header}\n${goodRow.replace("7.5", "0")}\n`), "out"),
      / has no usable row: /,
    ],
    [
      "an unwritable folder",
      () => trainArgs(good(), "/proc/nothing/here"),
      /cannot write to \/proc\/nothing\/here: /,
    ],
    ["a file as folder", () => trainArgs(good(), fileOf("x")), / is not a folder\.$/],
    ["a bad recipe", () => [...trainArgs(good(), "out"), "--recipe", "best"], /recipe "best" is unknown/],
    [
      "a bad version",
      () => [...trainArgs(good(), "out"), "--version", "one"],
      /version "one" is no semantic version/,
    ],
    [
      "a bad seed",
      () => [...trainArgs(good(), "out"), "--seed", "1e3"],
      /--seed is "1e3": expected a whole number/,
    ],
    [
      "missing options",
      () => ["--csv", "x.csv", "--version", "1.0.0"],
      /^train: --recipe, --out must be given a value\.$/,
    ],
    ["an unknown option", () => ["--cvs", "x.csv"], /unknown option '--cvs'/],
  ];
  test.each(cases)("%s", (_, args, sentence) => {
    const cwd = folder();
    const { status, stdout, stderr } = run("train", args(), cwd);
    expect(status).toBe(2);
    expect(stderr.trim()).toMatch(sentence);
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    expect(stderr).not.toMatch(/\bat .*\.ts/);
    expect(stdout).not.toContain("wrote");
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("evaluate without its options, and with a damaged model", () => {
    expect(run("evaluate", ["--csv", "x.csv"])).toMatchObject({ status: 2, stdout: "" });
    const model = fileOf("{}", "model.json");
    const { status, stderr } = run("evaluate", ["--model", model, "--csv", good()]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^evaluate: .*model\.json cannot be used: schema_version is not as the schema says: .*\n$/,
    );
  });
});

describe("an interrupted run leaves a whole artifact", () => {
  const csv = () => fileOf(madeUp(20_000));

  /** A run into a folder that holds an old model. */
  function start(): { child: ChildProcess; out: string } {
    const out = folder();
    writeFileSync(join(out, "model.json"), "the old model");
    const child = spawn(process.execPath, [cli("train"), ...trainArgs(csv(), out)], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return { child, out };
  }

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("the old one, by %s as it begins", async (signal) => {
    const { child, out } = start();
    const exit = once(child, "exit");
    await once(child, "spawn");
    child.kill(signal);
    await exit;
    expect(readdirSync(out)).toEqual(["model.json"]);
    expect(readFileSync(join(out, "model.json"), "utf8")).toBe("the old model");
  });

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
    "the old or the new one, by %s as it fits",
    async (signal) => {
      const { child, out } = start();
      const exit = once(child, "exit");
      await once(child.stdout!, "data");
      child.kill(signal);
      await exit;
      const text = readFileSync(join(out, "model.json"), "utf8");
      if (text !== "the old model") expect(loadModel(text).artifact.version).toBe("1.0.0");
      if (signal !== "SIGKILL") expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);
    },
  );
});
