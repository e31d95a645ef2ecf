import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { exitCodeOf, PARTS, readOptions } from "./options.ts";

beforeEach(() => vi.spyOn(process.stderr, "write").mockReturnValue(true));
afterEach(() => vi.restoreAllMocks());

it("measures everything unless told otherwise", () => {
  expect(readOptions([])).toEqual({
    parts: PARTS,
    seconds: 2,
    rounds: 3,
    connections: 64,
    size: 1_073_741_824,
    idle: 10_000,
    growth: 2_000_000,
    markdown: false,
  });
});

it("measures the named parts in its own order, each once", () => {
  expect(readOptions(["idle", "small", "idle", "--rounds", "1"])).toMatchObject({
    parts: ["small", "idle"],
    rounds: 1,
  });
});

it("reads sizes with their unit", () => {
  expect(readOptions(["--size", "64MiB"]).size).toBe(67_108_864);
  expect(readOptions(["--size", "1B"]).size).toBe(1);
});

const WRONG = [
  ["fast"],
  ["--size", "64"],
  ["--size", "0B"],
  ["--size", "17GiB"],
  ["--rounds", "0"],
  ["--seconds", "1.5"],
  ["--idle", "many"],
];
for (const argv of WRONG) {
  it(`refuses ${argv.join(" ")}`, () => {
    expect(() => readOptions(argv)).toThrow(/Expected/);
  });
}

it("tells a wrong command line from other errors", () => {
  let caught: unknown;
  try {
    readOptions(["--rounds", "0"]);
  } catch (error) {
    caught = error;
  }
  expect(exitCodeOf(caught)).toBe(1);
  expect(exitCodeOf(new Error("else"))).toBeUndefined();
});
