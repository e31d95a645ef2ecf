import { endZone, type Point, pointIn, startZone, streetKm, type Zone } from "./city.ts";
import type { Random } from "./random.ts";
import { fare } from "./tariff.ts";

/** One row before it becomes text. */
export interface SampleTrip {
  readonly start: Date;
  readonly fare: number;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly passengers: number;
}

const FIRST_DAY = Date.UTC(2009, 0, 1);
const LAST_DAY = Date.UTC(2015, 5, 30);
const DAY = 86_400_000;
const KM_PER_MILE = 1.609;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** How many trips begin in each hour of the day, in per cent. */
const DEMAND = [4, 3, 2, 2, 1, 1, 2, 4, 5, 5, 4, 4, 5, 5, 5, 5, 4, 5, 6, 6, 6, 6, 5, 5];
/** Mean speed of traffic in each hour, km/h: fast before dawn, slow from breakfast to dinner. */
const SPEED = [
  24, 25, 26, 27, 28, 27, 23, 19, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 18, 20, 21, 22, 23,
];
/** Passengers and how often, in per cent. */
const PASSENGERS = [
  [1, 70],
  [2, 15],
  [5, 7],
  [3, 4],
  [4, 2],
  [6, 2],
] as const;

/** One plausible trip, its fare by the tariff. */
export function makeTrip(random: Random): SampleTrip {
  const from = startZone(random);
  const to = endZone(random, from);
  const start = startTime(random);
  const pickup = pointIn(random, from);
  const dropoff = pointIn(random, to);
  const [passengers] = random.pick(PASSENGERS, ([, weight]) => weight);
  const ride = { start, ...travel(random, from, to, pickup, dropoff, start), ...rules(random, from, to) };
  return { start, fare: agreed(random, fare(ride)), pickup, dropoff, passengers };
}

function startTime(random: Random): Date {
  const day = FIRST_DAY + DAY * random.integer(0, (LAST_DAY - FIRST_DAY) / DAY);
  const hour = random.pick(HOURS, (hour) => DEMAND[hour]!);
  // One of the two meter systems wrote no seconds.
  const seconds = random.next() < 0.45 ? 0 : random.integer(0, 59);
  return new Date(day + ((hour * 60 + random.integer(0, 59)) * 60 + seconds) * 1000);
}

/** The meter's two quantities. The slower the traffic, the more of the ride is spent standing. */
function travel(random: Random, from: Zone, to: Zone, pickup: Point, dropoff: Point, start: Date) {
  const detour = (from.airport || to.airport ? 1.1 : 1.03) + Math.abs(random.normal(0, 0.08));
  const km = streetKm(pickup, dropoff) * detour;
  const highway = Math.min(2, 1 + km / 25);
  const weekend = start.getUTCDay() % 6 === 0 ? 1.15 : 1;
  const speed = SPEED[start.getUTCHours()]! * highway * weekend * Math.exp(random.normal(0, 0.22));
  const slowShare = Math.min(0.75, Math.max(0.08, 0.8 - speed / 40));
  return { miles: (km * (1 - slowShare / 4)) / KM_PER_MILE, slowMinutes: (km / speed) * 60 * slowShare };
}

/** JFK to or from Manhattan is flat; a part of the airport rides takes a bridge or tunnel with a toll. */
function rules(random: Random, from: Zone, to: Zone) {
  const airport = from.airport || to.airport;
  const island = from.manhattan || to.manhattan;
  const jfk = from.name === "JFK" || to.name === "JFK";
  return { flat: jfk && island, toll: airport && island && random.next() < 0.4 };
}

/** One ride in a hundred is not by the meter but at a round price. */
function agreed(random: Random, metered: number): number {
  return random.next() < 0.01 ? Math.max(5, 5 * Math.round((metered * (0.7 + random.next())) / 5)) : metered;
}
