import type { Random } from "./random.ts";

/** A place in degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** A part of the city: a centre, its spread in kilometres, and how often trips begin or end there. */
export interface Zone extends Point {
  readonly name: string;
  readonly spread: number;
  readonly weight: number;
  readonly manhattan: boolean;
  readonly airport: boolean;
}

/** Manhattan's avenues run 29 degrees east of north. */
const GRID_ANGLE = (29 * Math.PI) / 180;
const KM_PER_DEGREE = 111.2;
/** Kilometres over which the wish to go somewhere falls by a factor e. */
const REACH = 2.2;

/** Rough centres, from any map; Manhattan-heavy as yellow cabs were. */
export const ZONES: readonly Zone[] = [
  zone("Midtown", 40.7549, -73.984, 1.0, 30, "manhattan"),
  zone("Chelsea", 40.7425, -73.996, 0.8, 14, "manhattan"),
  zone("Village", 40.729, -73.997, 0.8, 15, "manhattan"),
  zone("Downtown", 40.7085, -74.009, 0.6, 6, "manhattan"),
  zone("Upper East Side", 40.7735, -73.9585, 1.0, 13, "manhattan"),
  zone("Upper West Side", 40.786, -73.976, 0.9, 9, "manhattan"),
  zone("Harlem", 40.811, -73.948, 1.0, 2.5, "manhattan"),
  zone("Brooklyn", 40.69, -73.973, 1.8, 4, "borough"),
  zone("Williamsburg", 40.7145, -73.956, 0.8, 2, "borough"),
  zone("Western Queens", 40.756, -73.922, 1.5, 2.5, "borough"),
  zone("Flushing", 40.757, -73.835, 1.8, 0.4, "borough"),
  zone("Bronx", 40.842, -73.89, 2.0, 0.4, "borough"),
  zone("LaGuardia", 40.7731, -73.8726, 0.4, 2.4, "airport"),
  zone("JFK", 40.6446, -73.7822, 0.4, 1.4, "airport"),
];

/** Where a trip begins. */
export function startZone(random: Random): Zone {
  return random.pick(ZONES, (zone) => zone.weight);
}

/** Where it ends: near places more likely, but distance does not deter from airports. */
export function endZone(random: Random, from: Zone): Zone {
  return random.pick(ZONES, (zone) => {
    if (zone.airport || from.airport) return zone === from ? 0 : zone.weight * 0.4;
    return zone.weight * Math.exp(-streetKm(from, zone) / REACH);
  });
}

/** Somewhere in a zone. */
export function pointIn(random: Random, zone: Zone): Point {
  const latitude = zone.latitude + random.normal(0, zone.spread / KM_PER_DEGREE);
  const longitude =
    zone.longitude + random.normal(0, zone.spread / (KM_PER_DEGREE * narrowing(zone.latitude)));
  return { latitude, longitude };
}

/** Kilometres along the street grid. */
export function streetKm(from: Point, to: Point): number {
  const north = (to.latitude - from.latitude) * KM_PER_DEGREE;
  const east = (to.longitude - from.longitude) * KM_PER_DEGREE * narrowing(from.latitude);
  const uptown = north * Math.cos(GRID_ANGLE) + east * Math.sin(GRID_ANGLE);
  const crosstown = east * Math.cos(GRID_ANGLE) - north * Math.sin(GRID_ANGLE);
  return Math.abs(uptown) + Math.abs(crosstown);
}

function narrowing(latitude: number): number {
  return Math.cos((latitude * Math.PI) / 180);
}

function zone(
  name: string,
  latitude: number,
  longitude: number,
  spread: number,
  weight: number,
  kind: "manhattan" | "borough" | "airport",
): Zone {
  const [manhattan, airport] = [kind === "manhattan", kind === "airport"];
  return { name, latitude, longitude, spread, weight, manhattan, airport };
}
