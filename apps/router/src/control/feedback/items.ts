import { LARGEST, MAX_ROWS } from "../../core/feedback/served.ts";

/** What somebody says of one request. */
export interface FeedbackItem {
  readonly id: string;
  /** One number for a request of one row, or for the row that is named; else one for each row, null where none is known yet. */
  readonly actual: number | readonly (number | null)[];
  /** From 0. */
  readonly row: number | undefined;
}

/** Items of one call. */
export const MAX_ITEMS = 5000;
const LONGEST_ID = 128;
/** Problems that are told one by one. */
const MAX_TOLD = 5;

/** Items that cannot be taken; each problem names its index. */
export class ItemsError extends Error {
  /** How many there are. */
  readonly count: number;

  constructor(problems: readonly string[]) {
    const more = problems.length - MAX_TOLD;
    super(`${problems.slice(0, MAX_TOLD).join("; ")}${more > 0 ? `; and ${more} more` : ""}.`);
    this.count = problems.length;
  }
}

/**
 * The items of a call: one alone, a list, or `{"feedback": [...]}`.
 * @throws ItemsError that names what is wrong, by index
 */
export function readItems(json: unknown): readonly FeedbackItem[] {
  const list = listOf(json);
  if (list.length > MAX_ITEMS) {
    throw new ItemsError([`feedback has ${list.length} items; expected at most ${MAX_ITEMS} in one call`]);
  }
  const problems: string[] = [];
  const items = list.map((value, i) => {
    const item = readItem(value);
    if (typeof item !== "string") return item;
    problems.push(`feedback[${i}]${item}`);
    return undefined;
  });
  if (problems.length > 0) throw new ItemsError(problems);
  return items as readonly FeedbackItem[];
}

function listOf(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  if (isObject(json) && "feedback" in json) {
    const { feedback, ...others } = json;
    const other = Object.keys(others)[0];
    if (other !== undefined)
      throw new ItemsError([`${JSON.stringify(other)} is no key; expected feedback alone`]);
    if (Array.isArray(feedback)) return feedback;
    throw new ItemsError([`feedback is ${show(feedback)}; expected a list`]);
  }
  if (isObject(json)) return [json];
  throw new ItemsError([
    `the body is ${show(json)}; expected {"request_id": "…", "actual": 11.5}, a list of these, or {"feedback": […]}`,
  ]);
}

/** A sentence's end where it is none. */
function readItem(value: unknown): FeedbackItem | string {
  if (!isObject(value)) return ` is ${show(value)}; expected {"request_id": "…", "actual": 11.5}`;
  const { request_id: id, actual, row, ...others } = value;
  const other = Object.keys(others)[0];
  if (other !== undefined) return ` has ${JSON.stringify(other)}; expected request_id, actual and row`;
  if (typeof id !== "string" || id === "" || id.length > LONGEST_ID) {
    return `.request_id is ${show(id)}; expected the X-Request-Id of an answer`;
  }
  if (row !== undefined && !(Number.isInteger(row) && (row as number) >= 0 && (row as number) < MAX_ROWS)) {
    return `.row is ${show(row)}; expected a whole number from 0`;
  }
  if (isActual(actual)) return { id, actual, row: row as number | undefined };
  if (row === undefined && Array.isArray(actual)) return readList(id, actual);
  if (typeof actual === "number")
    return `.actual is ${actual}; expected at most ${LARGEST}, on either side of 0`;
  const wanted =
    row === undefined ? "a number, or a list with one for each row" : "a number, because a row is named";
  return `.actual is ${show(actual)}; expected ${wanted}`;
}

function readList(id: string, actual: readonly unknown[]): FeedbackItem | string {
  const wrong = actual.findIndex((each) => each !== null && !isActual(each));
  if (wrong >= 0)
    return `.actual[${wrong}] is ${show(actual[wrong])}; expected a number, or null for not yet`;
  if (actual.length === 0 || actual.length > MAX_ROWS) {
    return `.actual has ${actual.length} values; expected 1 to ${MAX_ROWS}`;
  }
  return { id, actual: actual as readonly (number | null)[], row: undefined };
}

/** Why an item does not fit a request of so many rows, as a sentence's end; undefined where it does. */
export function misfit({ actual, row }: FeedbackItem, rows: number): string | undefined {
  const had = rows === 1 ? "1 prediction" : `${rows} predictions`;
  if (typeof actual !== "number") {
    if (actual.length === rows) return undefined;
    return `.actual has ${actual.length} values, and the request had ${had}; expected one for each`;
  }
  if (row === undefined && rows > 1)
    return `.actual is one number, and the request had ${had}; expected a list, or "row"`;
  if (row !== undefined && row >= rows)
    return `.row is ${row}, and the request had ${had}; rows count from 0`;
  return undefined;
}

/** The values that an item has, by row. */
export function valuesOf({ actual, row }: FeedbackItem): Iterable<[number, number | null]> {
  return typeof actual === "number" ? [[row ?? 0, actual]] : actual.entries();
}

function isActual(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= LARGEST;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
