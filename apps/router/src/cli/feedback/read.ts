import { createReadStream } from "node:fs";
import { parse } from "csv-parse/sync";
import { CliError } from "../errors.ts";
import { TooLongError, textLines } from "../text-lines.ts";

/** What a line says; the router judges whether it is feedback. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly item: object;
}

/** A line that says nothing. */
export interface BadLine {
  readonly number: number;
  readonly why: string;
}

const COLUMNS = ["request_id", "actual", "row"];
const ROW = " and, if you like, row";
/** Further columns that are named. */
const MOST_TOLD = 5;
/** Characters of each. */
const LONGEST_TOLD = 40;

/**
 * The lines of a file, JSON or, behind a header that names `request_id` and `actual`, CSV. They are read as they are asked
 * for, so that the file's size does not matter.
 * @param path `-` is standard input
 * @throws CliError the file cannot be read, or its header does not fit
 */
export async function* readFeedback(path: string): AsyncGenerator<Line | BadLine> {
  const name = path === "-" ? "standard input" : path;
  let number = 0;
  let columns: readonly string[] | undefined;
  try {
    for await (const text of textLines(path === "-" ? process.stdin : createReadStream(path))) {
      number++;
      const line = text.trim();
      if (line === "") continue;
      if (columns === undefined) {
        columns = line.startsWith("{") ? [] : header(line);
        if (columns.length > 0) continue;
      }
      const item = columns.length === 0 ? fromJson(line) : fromCsv(line, columns);
      yield typeof item === "string" ? { number, why: item } : { number, item };
    }
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`${name}, line ${number}: ${error.message}`);
    if (error instanceof TooLongError) throw new CliError(`${name}, line ${number + 1}: ${error.message}`);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new CliError(`${name} does not exist.`);
    throw new CliError(`${name} cannot be read (${code ?? message}).`);
  }
}

function header(line: string): string[] {
  const columns = cells(line) ?? [];
  if (!columns.includes("request_id") || !columns.includes("actual")) {
    throw new CliError(
      `expected JSON lines like {"request_id":"…","actual":12.5}, or CSV with the header request_id,actual${ROW}.`,
    );
  }
  const further = columns
    .filter((column) => !COLUMNS.includes(column))
    .map((name) => JSON.stringify(name.slice(0, LONGEST_TOLD)));
  if (further.length > 0) {
    const are = further.length === 1 ? "is a further column" : "are further columns";
    throw new CliError(`there ${are}, ${listed(further)}; expected request_id, actual${ROW}.`);
  }
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice === undefined) return columns;
  throw new CliError(`the column "${twice}" is there twice; expected request_id, actual${ROW}.`);
}

/** `a, b and c`; a file that is something else may have many, so not all are told. */
function listed(names: readonly string[]): string {
  if (names.length === 1) return names[0]!;
  if (names.length > MOST_TOLD)
    return `${names.slice(0, MOST_TOLD).join(", ")} and ${names.length - MOST_TOLD} more`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function fromJson(line: string): object | string {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {} // said below
  return 'expected a JSON object like {"request_id":"…","actual":12.5}';
}

function fromCsv(line: string, columns: readonly string[]): object | string {
  const values = cells(line);
  if (values?.length !== columns.length) return `expected ${columns.join(",")}`;
  const named = columns.map((column, i) => [column, values[i]!] as const);
  const numbers = named.filter(
    ([column, text]) => column !== "request_id" && !(column === "row" && text === ""),
  );
  const bad = numbers.find(([, text]) => text === "" || !Number.isFinite(Number(text)));
  if (bad) return `${bad[0]} is ${JSON.stringify(bad[1])}; expected a number`;
  const id = named.filter(([column]) => column === "request_id");
  return Object.fromEntries([...id, ...numbers.map(([column, text]) => [column, Number(text)] as const)]);
}

function cells(line: string): string[] | undefined {
  try {
    return parse(line, { trim: true })[0];
  } catch {
    return undefined; // a quote that is not closed
  }
}
