import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileOf, folder } from "../../test/trips-csv.ts";
import { InputProblem } from "../problem.ts";
import { checkFolder, writeTogether } from "./write-together.ts";

const files = { "report.html": "report", "metrics.json": "metrics", "model.json": "model" };

describe("writeTogether", () => {
  test("makes the folder and writes all files, and nothing else", () => {
    const out = join(folder(), "a", "b");
    writeTogether(out, files);
    expect(readdirSync(out).sort()).toEqual(Object.keys(files).sort());
    expect(readFileSync(join(out, "model.json"), "utf8")).toBe("model");
  });

  test("replaces old files by new ones instead of writing into them", () => {
    const out = folder();
    writeFileSync(join(out, "model.json"), "old");
    const old = statSync(join(out, "model.json")).ino;
    writeTogether(out, files);
    expect(statSync(join(out, "model.json")).ino).not.toBe(old);
  });

  test("leaves everything as it was when a file cannot be written", () => {
    const out = folder();
    mkdirSync(join(out, "report.html"));
    writeFileSync(join(out, "model.json"), "old");
    expect(() => writeTogether(out, files)).toThrow(InputProblem);
    expect(readdirSync(out).sort()).toEqual(["model.json", "report.html"]);
    expect(readFileSync(join(out, "model.json"), "utf8")).toBe("old");
  });

  test("leaves everything as it was when the last of the names is a folder's", () => {
    const out = folder();
    mkdirSync(join(out, "model.json"));
    writeFileSync(join(out, "report.html"), "old");
    const sentence = `cannot write to ${out}: ${join(out, "model.json")} is a folder.`;
    expect(() => writeTogether(out, files)).toThrow(new InputProblem(sentence));
    expect(readdirSync(out).sort()).toEqual(["model.json", "report.html"]);
    expect(readFileSync(join(out, "report.html"), "utf8")).toBe("old");
  });

  test("sweeps up what a killed run left, but not another run's files", () => {
    const out = folder();
    const dead = 2 ** 22 + 1;
    writeFileSync(join(out, `.model.json.${dead}.tmp`), "half");
    writeFileSync(join(out, `.model.json.${process.ppid}.tmp`), "busy");
    writeTogether(out, files);
    expect(readdirSync(out).sort()).toEqual([
      `.model.json.${process.ppid}.tmp`,
      ...Object.keys(files).sort(),
    ]);
  });
});

describe("checkFolder", () => {
  test("makes nothing", async () => {
    const out = folder();
    await checkFolder(join(out, "a", "b"));
    expect(readdirSync(out)).toEqual([]);
  });

  test("says which part of the path is a file", async () => {
    const file = fileOf("");
    const out = join(file, "models");
    await expect(checkFolder(out)).rejects.toThrow(
      new InputProblem(`cannot write to ${out}: ${file} is not a folder.`),
    );
  });
});
