import type { Feature } from "../recipe.ts";
import type { Context, Group } from "./context.ts";

const slow = "times grid kilometres, up to 12: how slow the traffic is";
const waves = [1, 2, 3].flatMap((n) => [`sin${n}`, `cos${n}`]);
const weekendWaves = waves.slice(0, 4);

const features: Feature[] = [
  { name: "rush_hour", meaning: "1 from 16 to 20 h on weekdays, when 1 dollar is added", prior: 30 },
  { name: "night", meaning: "1 from 20 to 6 h, when 0.50 dollars are added", prior: 30 },
  { name: "weekend", meaning: "1 on Saturday and Sunday", prior: 30 },
  { name: "hour_sin1", meaning: "daily wave of the hour, sine", prior: 30 },
  { name: "hour_cos1", meaning: "daily wave of the hour, cosine", prior: 30 },
  { name: "weekend_sin1", meaning: "daily wave of the hour at weekends, sine", prior: 30 },
  { name: "weekend_cos1", meaning: "daily wave of the hour at weekends, cosine", prior: 30 },
  ...waves.map((wave) => ({ name: `hour_${wave}_km`, meaning: `${describe(wave)} ${slow}`, prior: 10 })),
  ...weekendWaves.map((wave) => ({
    name: `weekend_${wave}_km`,
    meaning: `${describe(wave)} at weekends, ${slow}`,
    prior: 10,
  })),
  { name: "weekend_km", meaning: `weekend, ${slow}`, prior: 10 },
  { name: "monday_km", meaning: `Monday, ${slow}`, prior: 30 },
  { name: "friday_km", meaning: `Friday, ${slow}`, prior: 30 },
  { name: "sunday_km", meaning: `Sunday, ${slow}`, prior: 30 },
];

function describe(wave: string): string {
  const times = ["once", "twice", "three times"][Number(wave[3]) - 1];
  return `wave of the hour, ${times} a day, ${wave.startsWith("sin") ? "sine" : "cosine"},`;
}

/** When: surcharges by the clock, and traffic by the hour and the day. */
export const clock: Group = {
  features,
  compute(trip: Context, out: Float64Array, at: number): void {
    const { hour, weekend, weekday, cityKm } = trip;
    const angle = (2 * Math.PI * hour) / 24;
    const sin1 = Math.sin(angle);
    const cos1 = Math.cos(angle);
    const sin2 = 2 * sin1 * cos1;
    const cos2 = 2 * cos1 * cos1 - 1;
    let i = at;
    out[i++] = hour >= 16 && hour < 20 ? 1 - weekend : 0;
    out[i++] = hour >= 20 || hour < 6 ? 1 : 0;
    out[i++] = weekend;
    out[i++] = sin1;
    out[i++] = cos1;
    out[i++] = weekend * sin1;
    out[i++] = weekend * cos1;
    out[i++] = sin1 * cityKm;
    out[i++] = cos1 * cityKm;
    out[i++] = sin2 * cityKm;
    out[i++] = cos2 * cityKm;
    out[i++] = (sin2 * cos1 + cos2 * sin1) * cityKm;
    out[i++] = (cos2 * cos1 - sin2 * sin1) * cityKm;
    out[i++] = weekend * sin1 * cityKm;
    out[i++] = weekend * cos1 * cityKm;
    out[i++] = weekend * sin2 * cityKm;
    out[i++] = weekend * cos2 * cityKm;
    out[i++] = weekend * cityKm;
    out[i++] = weekday === 1 ? cityKm : 0;
    out[i++] = weekday === 5 ? cityKm : 0;
    out[i++] = weekday === 0 ? cityKm : 0;
  },
};
