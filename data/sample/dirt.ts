import type { Random } from "./random.ts";
import type { Row } from "./rows.ts";

/** One kind of dirt: the share of rows that have it (at least one row does) and what it does to a row. */
interface Dirt {
  readonly share: number;
  readonly soil: (row: Row, random: Random) => Partial<Row>;
}

const NOWHERE = {
  pickup_longitude: "0.0",
  pickup_latitude: "0.0",
  dropoff_longitude: "0.0",
  dropoff_latitude: "0.0",
};

/** The kinds that the original has, in about its proportions. */
export const DIRT: Readonly<Record<string, Dirt>> = {
  "both ends at (0, 0)": { share: 0.018, soil: () => NOWHERE },
  "drop-off at (0, 0)": { share: 0.001, soil: () => ({ dropoff_longitude: "0.0", dropoff_latitude: "0.0" }) },
  "latitude and longitude swapped": { share: 0.0006, soil: swap },
  "coordinates off the globe": {
    share: 0.0003,
    soil: (_, random) => ({ pickup_latitude: `${random.integer(300, 2000)}.${random.integer(1, 9)}` }),
  },
  "coordinates out of the city": {
    share: 0.002,
    soil: (_, random) => ({ dropoff_longitude: `-${random.integer(1, 72)}.${random.integer(1, 9)}66667` }),
  },
  "no drop-off": { share: 0.00001, soil: () => ({ dropoff_longitude: "", dropoff_latitude: "" }) },
  "pick-up and drop-off the same": {
    share: 0.01,
    soil: (row) => ({ dropoff_longitude: row.pickup_longitude, dropoff_latitude: row.pickup_latitude }),
  },
  "fare of nothing": { share: 0.0001, soil: () => ({ fare_amount: "0.0" }) },
  "fare below nothing": {
    share: 0.0001,
    soil: (_, random) => ({ fare_amount: `-${random.integer(2, 52)}.0` }),
  },
  "fare beyond belief": { share: 0.0001, soil: () => ({ fare_amount: "499.0" }) },
  "no passengers": { share: 0.0035, soil: () => ({ passenger_count: "0" }) },
  "208 passengers": { share: 0.00001, soil: () => ({ passenger_count: "208" }) },
  "white space": {
    share: 0.0005,
    soil: (row) => ({ fare_amount: ` ${row.fare_amount}`, passenger_count: `${row.passenger_count} ` }),
  },
};

/** Share of rows that come twice. */
const REPEATED = 0.0005;

/** Soils distinct rows of the list, then repeats a few. */
export function soil(clean: readonly Row[], random: Random): Row[] {
  const rows = [...clean];
  const places = shuffled(rows.length, random);
  for (const { share, soil } of Object.values(DIRT))
    for (const place of places.splice(0, count(share, rows.length)))
      rows[place] = { ...rows[place]!, ...soil(rows[place]!, random) };
  // The copy takes the place of a clean row, so that the number of rows stays what was asked for.
  for (let left = count(REPEATED, rows.length); left > 0 && places.length >= 2; left--)
    rows[places.pop()!] = { ...rows[places.pop()!]! };
  return rows;
}

function swap(row: Row): Partial<Row> {
  return {
    pickup_longitude: row.pickup_latitude,
    pickup_latitude: row.pickup_longitude,
    dropoff_longitude: row.dropoff_latitude,
    dropoff_latitude: row.dropoff_longitude,
  };
}

function count(share: number, rows: number): number {
  return Math.max(1, Math.round(share * rows));
}

/** The indices below `length` in random order (Fisher–Yates). */
function shuffled(length: number, random: Random): number[] {
  const places = Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = random.integer(0, last);
    [places[last], places[other]] = [places[other]!, places[last]!];
  }
  return places;
}
