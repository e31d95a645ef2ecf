import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fileOf, folder, goodRow, header, madeUp } from "../../test/trips-csv.ts";
import { InputProblem } from "../problem.ts";
import { type Rule, rules } from "./clean.ts";
import { readTrips } from "./read-trips.ts";

/** One row with some fields replaced. */
function row(changes: Partial<Record<string, string>>): string {
  const names = header.split(",");
  const fields = goodRow.split(",");
  for (const [name, value] of Object.entries(changes)) fields[names.indexOf(name)] = value!;
  return fields.join(",");
}

async function refusal(path: string): Promise<string> {
  const error = await readTrips(path).then(
    () => new Error("accepted"),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(InputProblem);
  return error.message;
}

describe("cleaning", () => {
  const cases: [Rule, string][] = [
    ["malformed_row", goodRow.slice(0, -2)],
    ["malformed_row", `${goodRow},more`],
    ["missing_value", row({ dropoff_latitude: "" })],
    ["missing_value", row({ pickup_datetime: "" })],
    ["missing_value", row({ fare_amount: " " })],
    ["missing_value", row({ pickup_latitude: " ", pickup_longitude: " " })],
    ["missing_value", row({ pickup_datetime: " " })],
    ["not_a_number", row({ fare_amount: "seven" })],
    ["not_a_number", row({ pickup_longitude: "NaN" })],
    ["not_a_number", row({ passenger_count: "Infinity" })],
    ["impossible_pickup_datetime", row({ pickup_datetime: "2015-02-30 10:00:00 UTC" })],
    ["fare_not_above_0", row({ fare_amount: "0" })],
    ["fare_not_above_0", row({ fare_amount: "-52" })],
    ["fare_above_200", row({ fare_amount: "200.01" })],
    ["passengers_not_1_to_6", row({ passenger_count: "0" })],
    ["passengers_not_1_to_6", row({ passenger_count: "208" })],
    ["passengers_not_1_to_6", row({ passenger_count: "1.5" })],
    ["end_at_0_0", row({ pickup_longitude: "0", pickup_latitude: "0" })],
    ["end_at_0_0", row({ dropoff_longitude: "0.0", dropoff_latitude: "0.0" })],
    ["pickup_outside_area", row({ pickup_latitude: "40.91" })],
    ["pickup_outside_area", row({ pickup_latitude: "-73.99", pickup_longitude: "40.73" })],
    ["dropoff_outside_area", row({ dropoff_longitude: "-74.26" })],
  ];
  test.each(cases)("counts for %s: %s", async (rule, line) => {
    const { trips, rowsRead, dropped } = await readTrips(fileOf(`${header}\n${goodRow}\n${line}\n`));
    expect(trips.length).toBe(1);
    expect(rowsRead).toBe(2);
    const none = Object.fromEntries(Object.keys(rules).map((name) => [name, 0]));
    expect(dropped).toEqual({ ...none, [rule]: 1 });
  });

  test("keeps the borders: 200 dollars, 1 and 6 passengers, the corners of the area", async () => {
    const corner = {
      pickup_latitude: "40.5",
      pickup_longitude: "-74.25",
      fare_amount: "200",
      passenger_count: "6",
    };
    const other = { dropoff_latitude: "40.9", dropoff_longitude: "-73.7", fare_amount: "0.01" };
    const { trips } = await readTrips(fileOf(`${header}\n${row(corner)}\n${row(other)}\n`));
    expect(trips.length).toBe(2);
    expect(trips.fare(0)).toBe(200);
  });
});

describe("readTrips", () => {
  test("reads what is there, with the digest of the bytes", async () => {
    const path = fileOf(`${header}\n${goodRow}\n`);
    const { trips, digest } = await readTrips(path);
    expect(trips.fare(0)).toBe(7.5);
    expect(trips.inputs(0)).toMatchObject({
      pickupLatitude: 40.73835,
      pickupLongitude: -73.99981,
      dropoffLatitude: 40.72322,
      dropoffLongitude: -73.99951,
      passengers: 1,
      seconds: Date.UTC(2015, 4, 7, 19, 52, 6) / 1000,
    });
    expect(digest).toBe(`sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`);
  });

  test.each([
    ["a byte order mark", `\uFEFF${header}\n${goodRow}\n`],
    ["Windows line ends", `${header}\r\n${goodRow}\r\n`],
    ["both", `\uFEFF${header}\r\n${goodRow}\r\n`],
    ["no end of the last line", `${header}\n${goodRow}`],
    ["empty lines", `${header}\n\n${goodRow}\n\n`],
    ["quotes", `${header}\n"1","k","7.5",${goodRow.split(",").slice(3).join(",")}\n`],
  ])("takes a file with %s", async (_, text) => {
    const { trips, rowsRead } = await readTrips(fileOf(text));
    expect([trips.length, rowsRead, trips.fare(0)]).toEqual([1, 1, 7.5]);
  });

  test("takes the columns in any order, with others between", async () => {
    const text = `passenger_count,tip,dropoff_latitude,dropoff_longitude,pickup_latitude,pickup_longitude,pickup_datetime,fare_amount
2,9,40.72322,-73.99951,40.73835,-73.99981,2015-05-07 19:52:06,7.5\n`;
    const { trips } = await readTrips(fileOf(text));
    expect(trips.inputs(0)).toMatchObject({ passengers: 2, pickupLongitude: -73.99981 });
  });

  test("counts a last line that was cut off as malformed", async () => {
    const { trips, dropped } = await readTrips(fileOf(`${header}\n${goodRow}\n${goodRow.slice(0, 40)}`));
    expect([trips.length, dropped.malformed_row]).toEqual([1, 1]);
  });

  test("tells how far it is, up to the end", async () => {
    const path = fileOf(`${header}\n${goodRow}\n`);
    const seen: number[][] = [];
    await readTrips(path, (...step) => seen.push(step));
    const size = readFileSync(path).length;
    expect(seen.at(-1)).toEqual([size, size]);
  });

  test("shares a large file among two threads and finds the same rows in the same order", async () => {
    const lines = Array.from({ length: 70_000 }, (_, i) => row({ fare_amount: String(1 + (i % 190)) }));
    const path = fileOf(`${header}\r\n${lines.join("\r\n")}\r\n${goodRow.slice(0, 30)}`);
    const { trips, rowsRead, dropped, digest } = await readTrips(path);
    expect([trips.length, rowsRead, dropped.malformed_row]).toEqual([70_000, 70_001, 1]);
    expect(Array.from({ length: 70_000 }, (_, i) => trips.fare(i))).toEqual(
      lines.map((_, i) => 1 + (i % 190)),
    );
    expect(digest).toBe(`sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`);
  });

  test("reads a large file whose quoted fields hold line ends", async () => {
    // An odd number of rows: the middle of the file lies inside a quoted field.
    const line = goodRow.replace(",k,", `,"${"k\n".repeat(500)}",`);
    const path = fileOf(`${header}\n${Array(5_001).fill(line).join("\n")}\n`);
    const { trips, rowsRead } = await readTrips(path);
    expect([trips.length, rowsRead]).toEqual([5_001, 5_001]);
  });
});

describe("readTrips says in one sentence", () => {
  test("that a file does not exist", async () => {
    expect(await refusal("/nowhere/trips.csv")).toBe("/nowhere/trips.csv does not exist.");
  });

  test("that it was given a directory", async () => {
    const path = folder();
    expect(await refusal(path)).toBe(`${path} is a directory: expected a CSV file.`);
  });

  test.each([
    ["which column is missing", header.replace("fare_amount", "price"), "lacks the column fare_amount."],
    [
      "which columns are missing",
      "a,b,fare_amount,passenger_count",
      "lacks the columns pickup_datetime, pickup_longitude, pickup_latitude, dropoff_longitude, dropoff_latitude.",
    ],
    [
      "which separator it has instead of commas",
      "fare_amount;pickup_datetime",
      "lacks the columns fare_amount, pickup_datetime, pickup_longitude, pickup_latitude, dropoff_longitude, dropoff_latitude, passenger_count: expected commas between columns, not semicolons.",
    ],
    ["that there are no rows", header, "has a header but no rows."],
    ["that the file is empty", "", "is empty: expected a header and rows."],
    [
      "that no row is usable",
      `${header}\n${goodRow.replace("7.5", "-7.5")}\nx\n`,
      "has no usable row: all 2 fell to the cleaning (malformed_row 1, fare_not_above_0 1).",
    ],
  ])("%s", async (_, text, sentence) => {
    const path = fileOf(`${text}\n`.replace(/^\n$/, ""));
    expect(await refusal(path)).toBe(`${path} ${sentence}`);
  });

  test("that a file is packed, or no text", async () => {
    const packed = fileOf(gzipSync(madeUp(10)));
    expect(await refusal(packed)).toBe(`${packed} is packed with gzip: unpack it first.`);
    const binary = fileOf(Buffer.from([1, 2, 0, 200, 255, 10, 0, 7]));
    expect(await refusal(binary)).toBe(`${binary} is not text: expected a CSV file.`);
  });

  test("that a large file lacks a column, though two threads read it", async () => {
    const path = fileOf("");
    writeFileSync(path, madeUp(60_000).replace("passenger_count", "people"));
    expect(await refusal(path)).toBe(`${path} lacks the column passenger_count.`);
  });

  test("that a large file has no lines", async () => {
    const path = fileOf(Buffer.alloc(20 << 20, "x"));
    expect(await refusal(path)).toBe(`${path} has no line end in its first MiB: expected a CSV file.`);
  });

  test.runIf(process.platform === "linux")("that reading fails", async () => {
    const path = "/proc/self/mem";
    expect(await refusal(path)).toMatch(/^\/proc\/self\/mem cannot be read: EIO/);
  });

  test("that a quote is never closed", async () => {
    const path = fileOf(`${header}\n"${goodRow}\n${goodRow}\n`);
    expect(await refusal(path)).toMatch(/ is not valid CSV: Quote Not Closed: .*line 3.*\.$/);
  });
});
