const RADIANS = Math.PI / 180;
/** Mean radius of the earth (IUGG), kilometres. */
const EARTH = 6371.0088;

/** Kilometres in one degree of latitude, and of longitude at New York's 40.75° N. */
export const KM_PER_LATITUDE = EARTH * RADIANS;
export const KM_PER_LONGITUDE = KM_PER_LATITUDE * Math.cos(40.75 * RADIANS);

/** Great-circle distance of two points in degrees, in kilometres: the haversine formula. */
export function haversineKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const sinLat = Math.sin(((lat2 - lat1) * RADIANS) / 2);
  const sinLon = Math.sin(((lon2 - lon1) * RADIANS) / 2);
  const h = sinLat * sinLat + Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * sinLon * sinLon;
  return 2 * EARTH * Math.asin(Math.sqrt(Math.min(1, h)));
}
