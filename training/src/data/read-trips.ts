import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { CsvError } from "csv-parse";
import { InputProblem } from "../problem.ts";
import { type Dropped, noneDropped, totalDropped } from "./clean.ts";
import { headerOf, inWorker, type Part, parseRange } from "./parts.ts";
import { Trips } from "./trips.ts";

/** What a CSV file held. */
export interface TripFile {
  /** The rows that passed the usual cleaning. */
  readonly trips: Trips;
  readonly rowsRead: number;
  readonly dropped: Dropped;
  /** `sha256:<hex>` over the file's bytes. */
  readonly digest: string;
}

/** Told while a file is read: bytes so far, and in all. */
export type Progress = (bytes: number, total: number) => void;

/** Smaller files are read faster by one thread than it takes to start a second. */
const WORTH_SHARING = 4 << 20;

/**
 * Streams a CSV file of trips and cleans it, on two threads if it is large. Extra columns and any order of columns are
 * fine, as are a byte order mark and Windows line ends; a last line that was cut off falls to `malformed_row`.
 * @throws InputProblem if there is no such file, it is no CSV text, lacks columns (all are named), or has no usable row.
 */
export async function readTrips(path: string, onProgress: Progress = () => {}): Promise<TripFile> {
  return explain(path, async () => {
    const { size } = await statFile(path);
    const share = size >= WORTH_SHARING && availableParallelism() > 1;
    const { parts, digest } = share
      ? await readShared(path, size, onProgress)
      : await readAlone(path, size, onProgress);
    return { ...joinParts(path, parts), digest };
  });
}

interface Read {
  readonly parts: readonly Part[];
  readonly digest: string;
}

async function readAlone(path: string, size: number, onProgress: Progress): Promise<Read> {
  const hash = createHash("sha256");
  let bytes = 0;
  const part = await parseRange(path, { start: 0, end: size }, undefined, (chunk) => {
    if (bytes === 0) checkText(path, chunk);
    bytes += chunk.length;
    hash.update(chunk);
    onProgress(bytes, size);
  });
  return { parts: [part], digest: `sha256:${hash.digest("hex")}` };
}

/** Halves the file at a line's end. A quoted field may hold such an end, so a file with quotes is read again by one. */
async function readShared(path: string, size: number, onProgress: Progress): Promise<Read> {
  const header = await headerOf(path, (start) => checkText(path, start));
  const middle = await nextLine(path, size >> 1);
  if (middle >= size) return readAlone(path, size, onProgress);
  const second = inWorker(path, { start: middle, end: size }, header);
  let bytes = 0;
  let quoted = false;
  const digest = digestOf(path, (chunk) => {
    quoted ||= chunk.includes(0x22);
  });
  const first = parseRange(path, { start: 0, end: middle }, undefined, (chunk) => {
    bytes += chunk.length * (size / middle);
    onProgress(Math.min(size, Math.round(bytes)), size);
  });
  const results = await Promise.allSettled([first, second, digest]);
  if (quoted) return readAlone(path, size, onProgress);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return { parts: [await first, await second], digest: await digest };
}

async function digestOf(path: string, look: (chunk: Buffer) => void): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    look(chunk);
    hash.update(chunk);
  }
  return `sha256:${hash.digest("hex")}`;
}

/** The byte after the first line end from `from` on. */
async function nextLine(path: string, from: number): Promise<number> {
  let at = from;
  for await (const chunk of createReadStream(path, { start: from })) {
    const end = (chunk as Buffer).indexOf(0x0a);
    if (end >= 0) return at + end + 1;
    at += (chunk as Buffer).length;
  }
  return at;
}

/** @throws InputProblem if no row is left */
export function joinParts(path: string, parts: readonly Part[]): Omit<TripFile, "digest"> {
  const trips = Trips.join(parts.map((part) => part.trips));
  const dropped = noneDropped();
  for (const part of parts) {
    for (const rule of Object.keys(dropped) as (keyof Dropped)[]) dropped[rule] += part.dropped[rule];
  }
  const rowsRead = trips.length + totalDropped(dropped);
  if (trips.length === 0) throw new InputProblem(noUsableRow(path, rowsRead, dropped));
  return { trips, rowsRead, dropped };
}

function noUsableRow(path: string, rows: number, dropped: Dropped): string {
  if (rows === 0) return `${path} has a header but no rows.`;
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  const list = reasons.map(([rule, count]) => `${rule} ${count}`).join(", ");
  return `${path} has no usable row: all ${rows} fell to the cleaning (${list}).`;
}

export async function statFile(path: string): Promise<Stats> {
  const stats = await stat(path);
  if (stats.isDirectory()) throw new InputProblem(`${path} is a directory: expected a CSV file.`);
  return stats;
}

/** @throws InputProblem if these are not the first bytes of a text */
export function checkText(path: string, start: Buffer): void {
  if (start[0] === 0x1f && start[1] === 0x8b)
    throw new InputProblem(`${path} is packed with gzip: unpack it first.`);
  if (start[0] === 0x50 && start[1] === 0x4b)
    throw new InputProblem(`${path} is a zip archive: unpack it first.`);
  if (start.subarray(0, 4096).includes(0))
    throw new InputProblem(`${path} is not text: expected a CSV file.`);
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read",
  EPERM: "may not be read",
  ENOTDIR: "does not exist: a part of its path is a file",
};

/** Turns what the file system and the parser throw into sentences. */
export async function explain<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CsvError) throw new InputProblem(`${path} is not valid CSV: ${error.message}.`);
    const { code = "", syscall, message } = error as NodeJS.ErrnoException;
    const sentence = systemErrors[code] ?? (syscall && `cannot be read: ${message}`);
    if (sentence) throw new InputProblem(`${path} ${sentence}.`);
    throw error;
  }
}
