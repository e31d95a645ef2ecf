/** The usual cleaning. Each rule drops the rows that meet it; a row counts for the first rule it meets, in this order. */
export const rules = {
  malformed_row: "has another number of fields than the header",
  missing_value: "lacks a fare, a time, a coordinate or the passengers",
  not_a_number: "has text where a number belongs",
  impossible_pickup_datetime: "has a pickup time that does not exist",
  fare_not_above_0: "has a fare of 0 dollars or less",
  fare_above_200: "has a fare above 200 dollars",
  passengers_not_1_to_6: "has no passengers, more than 6, or a fraction of one",
  end_at_0_0: "has an end at latitude 0, longitude 0",
  pickup_outside_area: "starts outside 40.5 to 40.9 N, 74.25 to 73.7 W",
  dropoff_outside_area: "ends outside 40.5 to 40.9 N, 74.25 to 73.7 W",
} as const;
export type Rule = keyof typeof rules;

/** How many rows fell to which rule. */
export type Dropped = Record<Rule, number>;

export function noneDropped(): Dropped {
  return Object.fromEntries(Object.keys(rules).map((rule) => [rule, 0])) as Dropped;
}

export function totalDropped(dropped: Dropped): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

/** The numbers of a row that was read, US dollars and degrees. */
export interface Row {
  fare: number;
  pickupLatitude: number;
  pickupLongitude: number;
  dropoffLatitude: number;
  dropoffLongitude: number;
  passengers: number;
}

/** The rule that a row of finite numbers meets first, or undefined for a row to keep. */
export function dropRule(row: Row): Rule | undefined {
  if (row.fare <= 0) return "fare_not_above_0";
  if (row.fare > 200) return "fare_above_200";
  if (!(row.passengers >= 1 && row.passengers <= 6 && Number.isInteger(row.passengers))) {
    return "passengers_not_1_to_6";
  }
  if (atOrigin(row.pickupLatitude, row.pickupLongitude)) return "end_at_0_0";
  if (atOrigin(row.dropoffLatitude, row.dropoffLongitude)) return "end_at_0_0";
  if (!inArea(row.pickupLatitude, row.pickupLongitude)) return "pickup_outside_area";
  if (!inArea(row.dropoffLatitude, row.dropoffLongitude)) return "dropoff_outside_area";
  return undefined;
}

function atOrigin(latitude: number, longitude: number): boolean {
  return latitude === 0 && longitude === 0;
}

function inArea(latitude: number, longitude: number): boolean {
  return latitude >= 40.5 && latitude <= 40.9 && longitude >= -74.25 && longitude <= -73.7;
}
