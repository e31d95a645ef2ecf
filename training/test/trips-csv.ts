import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { mulberry32 } from "../src/data/split.ts";

export const header =
  ",key,fare_amount,pickup_datetime,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude,passenger_count";
export const goodRow = "1,k,7.5,2015-05-07 19:52:06 UTC,-73.99981,40.73835,-73.99951,40.72322,1";

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sluice-training-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A file with this content in a folder of its own. */
export function fileOf(content: string | Buffer, name = "trips.csv"): string {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
}

/** CSV text of made-up trips over the whole city, with fares of 3 dollars plus about 2 a kilometre. */
export function madeUp(rows: number, seed = 1): string {
  const random = mulberry32(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const lines = Array.from({ length: rows }, (_, i) => {
    const [fromLat, toLat] = [between(40.62, 40.86), between(40.62, 40.86)];
    const [fromLon, toLon] = [between(-74.03, -73.76), between(-74.03, -73.76)];
    const km = 84 * Math.abs(toLon - fromLon) + 111 * Math.abs(toLat - fromLat);
    const fare = (3 + 2 * km + between(-1, 1)).toFixed(2);
    const date = `20${two(between(9, 16))}-${two(between(1, 13))}-${two(between(1, 29))}`;
    const time = `${two(between(0, 24))}:${two(between(0, 60))}:${two(between(0, 60))}`;
    return `${i},k,${fare},${date} ${time} UTC,${fromLon},${fromLat},${toLon},${toLat},${Math.floor(between(1, 7))}`;
  });
  return `${header}\n${lines.join("\n")}\n`;
}
