import type { Random } from "./random.ts";
import type { SampleTrip } from "./trips.ts";

export const COLUMNS = [
  "",
  "key",
  "fare_amount",
  "pickup_datetime",
  "pickup_longitude",
  "pickup_latitude",
  "dropoff_longitude",
  "dropoff_latitude",
  "passenger_count",
] as const;

/** One line of the file, each cell as text. */
export type Row = Record<(typeof COLUMNS)[number], string>;

/** Row ids of the original lie below this. */
const IDS = 55_000_000;

/** Writes a trip as the original does. */
export function toRow(random: Random, trip: SampleTrip): Row {
  const clock = trip.start.toISOString().slice(0, 19).replace("T", " ");
  const degrees = random.next() < 0.25 ? single : sixPlaces;
  return {
    "": String(random.integer(1, IDS)),
    key: `${clock}.000000${random.integer(
      1,
      random.pick([9, 9, 99, 200], () => 1),
    )}`,
    fare_amount: trip.fare.toFixed(2).replace(/0$/, ""),
    pickup_datetime: `${clock} UTC`,
    pickup_longitude: degrees(trip.pickup.longitude),
    pickup_latitude: degrees(trip.pickup.latitude),
    dropoff_longitude: degrees(trip.dropoff.longitude),
    dropoff_latitude: degrees(trip.dropoff.latitude),
    passenger_count: String(trip.passengers),
  };
}

/** The whole file as text, with LF and a final one. */
export function toCsv(rows: readonly Row[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => row[column]).join(","));
  return `${[COLUMNS.join(","), ...lines].join("\n")}\n`;
}

/** Some meters stored single precision: the text then has up to 17 digits. */
function single(degrees: number): string {
  return String(Math.fround(degrees));
}

function sixPlaces(degrees: number): string {
  return String(Number(degrees.toFixed(6)));
}
