import { haversineKm } from "../../geo.ts";

/** Corners of a line or polygon, degrees. Two arrays of numbers are read several times faster than an array of pairs. */
interface Outline {
  readonly longitudes: Float64Array;
  readonly latitudes: Float64Array;
}

function outline(corners: readonly (readonly [longitude: number, latitude: number])[]): Outline {
  return {
    longitudes: Float64Array.from(corners, ([longitude]) => longitude),
    latitudes: Float64Array.from(corners, ([, latitude]) => latitude),
  };
}

const manhattan = outline([
  [-74.02, 40.698],
  [-74.012, 40.755],
  [-73.965, 40.82],
  [-73.935, 40.855],
  [-73.92, 40.878],
  [-73.907, 40.873],
  [-73.933, 40.835],
  [-73.928, 40.8],
  [-73.942, 40.775],
  [-73.972, 40.74],
  [-73.97, 40.712],
  [-74.005, 40.7],
]);

/** Longitude of the middle of the Hudson at latitudes from the Kill van Kull to Yonkers. */
const hudson = outline([
  [-74.06, 40.64],
  [-74.05, 40.66],
  [-74.028, 40.7],
  [-74.012, 40.755],
  [-73.97, 40.82],
  [-73.92, 40.9],
]);

/** Longitude of the city's eastern line towards Nassau County. */
const cityLine = outline([
  [-73.755, 40.58],
  [-73.73, 40.64],
  [-73.729, 40.72],
  [-73.7, 40.76],
  [-73.76, 40.8],
]);

// The tests against constants that come first only save time: most ends are far from most borders.

/** 1 inside Manhattan, from river to river, else 0. */
export function inManhattan(latitude: number, longitude: number): number {
  if (latitude < 40.698 || latitude > 40.878 || longitude < -74.02 || longitude > -73.907) return 0;
  const { longitudes, latitudes } = manhattan;
  let inside = 0;
  let x1 = longitudes[longitudes.length - 1]!;
  let y1 = latitudes[latitudes.length - 1]!;
  for (let i = 0; i < latitudes.length; i++) {
    const x2 = longitudes[i]!;
    const y2 = latitudes[i]!;
    if (y1 > latitude !== y2 > latitude && longitude < ((x2 - x1) * (latitude - y1)) / (y2 - y1) + x1) {
      inside = 1 - inside;
    }
    x1 = x2;
    y1 = y2;
  }
  return inside;
}

/** 1 west of the Hudson and north of Staten Island, else 0. */
export function inNewJersey(latitude: number, longitude: number): number {
  return longitude < -73.92 && latitude > 40.65 && longitude < longitudeAt(hudson, latitude) ? 1 : 0;
}

export function onStatenIsland(latitude: number, longitude: number): number {
  return latitude <= 40.65 && longitude < -74.05 ? 1 : 0;
}

/** 1 east of the city line, else 0. */
export function inNassau(latitude: number, longitude: number): number {
  return longitude > -73.76 && longitude > longitudeAt(cityLine, latitude) ? 1 : 0;
}

export const atKennedy = within(40.645, -73.784, 3);
export const atLaGuardia = within(40.772, -73.87, 1.8);
export const atNewark = within(40.6895, -74.177, 3.5);

/** From 1 at the toll plaza of the Robert F. Kennedy Bridge down to 0 two kilometres away. */
export function nearTollPlaza(latitude: number, longitude: number): number {
  if (Math.abs(latitude - 40.797) > 0.03 || Math.abs(longitude + 73.921) > 0.04) return 0;
  const km = haversineKm(latitude, longitude, 40.797, -73.921);
  return km >= 2 ? 0 : (1 - (km / 2) ** 2) ** 2;
}

/** A test for being within `km` of a point: 1 or 0. The comparison of degrees is there for speed. */
function within(latitude: number, longitude: number, km: number): (lat: number, lon: number) => number {
  const reach = km / 80;
  return (lat, lon) => {
    if (Math.abs(lat - latitude) > reach || Math.abs(lon - longitude) > reach) return 0;
    return haversineKm(lat, lon, latitude, longitude) < km ? 1 : 0;
  };
}

/** The line's longitude at a latitude, between its corners straight, beyond them constant. */
function longitudeAt({ longitudes, latitudes }: Outline, latitude: number): number {
  if (latitude <= latitudes[0]!) return longitudes[0]!;
  for (let i = 1; i < latitudes.length; i++) {
    const y1 = latitudes[i - 1]!;
    const y2 = latitudes[i]!;
    const x1 = longitudes[i - 1]!;
    if (latitude < y2) return x1 + ((longitudes[i]! - x1) * (latitude - y1)) / (y2 - y1);
  }
  return longitudes[longitudes.length - 1]!;
}
