import { once } from "node:events";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Worker } from "node:worker_threads";
import { parse } from "csv-parse";
import { InputProblem } from "../problem.ts";
import type { Dropped } from "./clean.ts";
import { RowReader } from "./row-reader.ts";
import { Trips } from "./trips.ts";

/** What one stretch of a file held. */
export interface Part {
  readonly trips: Trips;
  readonly dropped: Dropped;
}

/** Bytes of a file, `end` not included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What a worker is asked, and what it answers. */
export interface PartRequest {
  readonly path: string;
  readonly range: Range;
  readonly header: string;
}
export interface PartAnswer {
  readonly values: Float64Array<ArrayBuffer>;
  readonly dropped: Dropped;
}

/**
 * Streams a stretch of a CSV file through the parser and the cleaning.
 * @param header the file's first line, if the stretch does not begin with it.
 * @param onChunk sees the bytes first, and may throw to stop.
 */
export async function parseRange(
  path: string,
  range: Range,
  header: string | undefined,
  onChunk: (chunk: Buffer) => void = () => {},
): Promise<Part> {
  const reader = new RowReader(path);
  // Only ASCII matters to us, and latin1 is cheaper to decode than UTF-8.
  const parser = parse({
    bom: true,
    encoding: "latin1",
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n"],
    on_record: (record: string[]) => {
      reader.read(record);
      return null;
    },
  });
  parser.resume();
  if (header !== undefined) parser.write(header);
  const bytes = range.end > range.start ? { start: range.start, end: range.end - 1 } : {};
  const file = createReadStream(path, { ...bytes, highWaterMark: 1 << 20 });
  await pipeline(file, tap(onChunk), parser);
  return reader.finish();
}

function tap(onChunk: (chunk: Buffer) => void) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      onChunk(chunk);
      yield chunk;
    }
  };
}

/** The same on a thread of its own. */
export async function inWorker(path: string, range: Range, header: string): Promise<Part> {
  const request: PartRequest = { path, range, header };
  const worker = new Worker(new URL("./part-worker.ts", import.meta.url), { workerData: request });
  const [{ values, dropped }] = (await once(worker, "message")) as [PartAnswer];
  return { trips: Trips.of(values), dropped };
}

/** Longer first lines are no header. */
const LONGEST_HEADER = 1 << 20;

/**
 * The first line with its end. `look` sees the first bytes, and may throw.
 * @throws InputProblem when the file does not look like lines.
 */
export async function headerOf(path: string, look: (start: Buffer) => void): Promise<string> {
  let text = "";
  for await (const chunk of createReadStream(path)) {
    if (text === "") look(chunk);
    text += (chunk as Buffer).toString("latin1");
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end + 1);
    if (text.length >= LONGEST_HEADER)
      throw new InputProblem(`${path} has no line end in its first MiB: expected a CSV file.`);
  }
  return text;
}
