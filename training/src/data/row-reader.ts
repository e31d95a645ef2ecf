import { parsePickupDatetime, wallSeconds } from "@sluice/model/datetime";
import { InputProblem } from "../problem.ts";
import { type Dropped, dropRule, noneDropped, type Row, type Rule } from "./clean.ts";
import { Trips } from "./trips.ts";

const needed = [
  "fare_amount",
  "pickup_datetime",
  "pickup_longitude",
  "pickup_latitude",
  "dropoff_longitude",
  "dropoff_latitude",
  "passenger_count",
] as const;
type Column = (typeof needed)[number];

/** Takes the records of one file, the header first, and keeps the clean ones. */
export class RowReader {
  readonly #path: string;
  readonly #trips = new Trips();
  readonly #dropped: Dropped = noneDropped();
  readonly #row: Row = {
    fare: 0,
    pickupLatitude: 0,
    pickupLongitude: 0,
    dropoffLatitude: 0,
    dropoffLongitude: 0,
    passengers: 0,
  };
  #columns: Record<Column, number> | undefined;
  /** The same columns without their names, because looking up seven names in each row is slow. */
  #needed: readonly number[] = [];
  #width = 0;
  #seconds = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws InputProblem when the first record lacks columns. */
  read(record: readonly string[]): void {
    if (!this.#columns) {
      this.#columns = findColumns(this.#path, record);
      this.#needed = Object.values(this.#columns);
      this.#width = record.length;
      return;
    }
    const rule = record.length === this.#width ? this.#parse(record, this.#columns) : "malformed_row";
    if (rule) this.#dropped[rule]++;
    else this.#trips.add(this.#row, this.#seconds);
  }

  /** @throws InputProblem when there was no header. */
  finish(): { trips: Trips; dropped: Dropped } {
    if (!this.#columns) throw new InputProblem(`${this.#path} is empty: expected a header and rows.`);
    return { trips: this.#trips, dropped: this.#dropped };
  }

  #parse(record: readonly string[], columns: Record<Column, number>): Rule | undefined {
    for (const column of this.#needed) if (record[column] === "") return "missing_value";
    const row = this.#row;
    row.fare = Number(record[columns.fare_amount]);
    row.pickupLongitude = Number(record[columns.pickup_longitude]);
    row.pickupLatitude = Number(record[columns.pickup_latitude]);
    row.dropoffLongitude = Number(record[columns.dropoff_longitude]);
    row.dropoffLatitude = Number(record[columns.dropoff_latitude]);
    row.passengers = Number(record[columns.passenger_count]);
    // One sum tells whether any of them is not finite.
    const ends = row.pickupLongitude + row.pickupLatitude + row.dropoffLongitude + row.dropoffLatitude;
    if (!Number.isFinite(row.fare + ends + row.passengers)) return "not_a_number";
    const time = parsePickupDatetime(record[columns.pickup_datetime]!);
    const rule = time ? dropRule(row) : "impossible_pickup_datetime";
    if (rule) return this.#hasBlank(record) ? "missing_value" : rule;
    this.#seconds = wallSeconds(time!);
    return undefined;
  }

  /** White space alone reads as 0, which no rule lets pass: so only rows that fell need this look. */
  #hasBlank(record: readonly string[]): boolean {
    return this.#needed.some((column) => record[column]!.trim() === "");
  }
}

function findColumns(path: string, header: readonly string[]): Record<Column, number> {
  const names = header.map((name) => name.trim());
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const columns = missing.length === 1 ? "the column" : "the columns";
    throw new InputProblem(`${path} lacks ${columns} ${missing.join(", ")}${separatorHint(header)}.`);
  }
  return Object.fromEntries(needed.map((name) => [name, names.indexOf(name)])) as Record<Column, number>;
}

/** What may be wrong with a header of one column only. */
function separatorHint(header: readonly string[]): string {
  const others = { ";": "semicolons", "\t": "tabs" };
  const found = Object.entries(others).find(
    ([separator]) => header.length === 1 && header[0]!.includes(separator),
  );
  return found ? `: expected commas between columns, not ${found[1]}` : "";
}
