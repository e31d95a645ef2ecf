import { describe, expect, it } from "vitest";
import { sluiceHere } from "../../../test/support/sluice-command.ts";
import { csv, folder, HEADER, trips } from "../../../test/support/traffic-command.ts";

describe("sluice traffic", () => {
  it.each<[string, string[], RegExp]>([
    ["no file", ["--csv", "/no/such.csv", "--rps", "1"], /^sluice: \/no\/such\.csv does not exist\.\n$/],
    ["a folder", ["--csv", folder, "--rps", "1"], /is a directory: expected a CSV file\.\n$/],
    ["no columns", ["--csv", csv("a,b", "1,2"), "--rps", "1"], /lacks the columns fare_amount, /],
    ["no rows", ["--csv", csv(HEADER), "--rps", "1"], /has a header but no rows\.\n$/],
  ])("ends with one sentence and 1 for %s", async (_what, args, message) => {
    const run = await sluiceHere(["traffic", ...args]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
  });

  it.each([
    [["--rps", "0"], "--rps is"],
    [["--rps", "-1"], "--rps"],
    [["--rps", "many"], "--rps is"],
    [["--rps", "1", "--batch", "0"], "--batch is"],
    [["--rps", "1", "--requests", "1.5"], "--requests is"],
    [["--rps", "1", "--duration", "30"], "--duration is"],
    [["--rps", "1", "--timeout", "0s"], "--timeout is"],
    [["--rps", "1", "--seed", "x"], "--seed is"],
    [["--rps", "1", "--url", "nowhere"], "the router's address is"],
    [["--rps", "1", "--url", "http://h/prefix"], 'is "http://h/prefix"; expected a URL without a path'],
    [["--rps", "1", "--url", "http://h?a=b"], 'is "http://h?a=b"; expected a URL without a path'],
    [["--rps", "1", "--url", "http://h#a"], 'is "http://h#a"; expected a URL without a path'],
    [
      ["--rps", "1", "--url", "http://user:pw@h"],
      "the router's address names a user; expected a URL without",
    ],
    [["--rps", "1", "--csv", "-"], '--csv is "-"; expected a file'],
    [["--rps", "1", "--csv", ""], '--csv is ""; expected a file'],
    [[], "required option '--rps"],
  ])("refuses %j as bad usage", async (args, message) => {
    const run = await sluiceHere(["traffic", "--csv", trips, ...args]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain("expected".slice(0, args.length === 0 ? 0 : 8));
  });
});
