import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { soil } from "./sample/dirt.ts";
import { random } from "./sample/random.ts";
import { toCsv, toRow } from "./sample/rows.ts";
import { makeTrip } from "./sample/trips.ts";

const USAGE = "npm exec -- node data/make-sample.ts [--out data/sample.csv] [--rows 4000] [--seed 1]";

/** A licence-free sample of trips as CSV text. The same rows and seed give the same bytes. */
export function makeSample(rows: number, seed: number): string {
  const source = random(seed);
  const clean = Array.from({ length: rows }, () => toRow(source, makeTrip(source)));
  return toCsv(soil(clean, source));
}

if (import.meta.main) main();

function main(): void {
  try {
    const { out, rows, seed } = options();
    writeFileSync(out, makeSample(rows, seed));
    console.log(`wrote ${rows} trips to ${out}`);
  } catch (error) {
    // Node's own messages about options go on for lines.
    console.error(`${(error as Error).message.split(/\.\s/)[0]}; usage: ${USAGE}`);
    process.exitCode = 2;
  }
}

function options() {
  const out = { type: "string", default: join(import.meta.dirname, "sample.csv") } as const;
  const rows = { type: "string", default: "4000" } as const;
  const seed = { type: "string", default: "1" } as const;
  const { values } = parseArgs({ options: { out, rows, seed } });
  return { out: values.out, rows: integer("rows", values.rows, 100), seed: integer("seed", values.seed, 0) };
}

function integer(name: string, text: string, least: number): number {
  if (/^\d{1,7}$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${name} is ${JSON.stringify(text)}: expected a whole number from ${least} to 9999999`);
}
