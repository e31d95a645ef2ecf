/** New York's taxi tariff as its commission (TLC) published it, 2009 to 2015. Dollars, miles, minutes. */
export interface Ride {
  /** The wall clock of New York, as if it were UTC. */
  readonly start: Date;
  readonly miles: number;
  /** Minutes stopped or slower than the meter's threshold. */
  readonly slowMinutes: number;
  readonly flat: boolean;
  readonly toll: boolean;
}

/** The tariff of 2012-09-04 raised the unit price and the flat fare. */
export const TARIFF_CHANGE = Date.UTC(2012, 8, 4);

const INITIAL_CHARGE = 2.5;
const NIGHT_SURCHARGE = 0.5;
const RUSH_SURCHARGE = 1;

/** Bridge and tunnel tolls (MTA, E-ZPass), by the year from which they held. */
const TOLLS = [
  [2013, 5.33],
  [2011, 4.8],
  [2010, 4.57],
  [2009, 4.15],
] as const;

/** What the meter shows at the end, in dollars. */
export function fare(ride: Ride): number {
  return cents((ride.flat ? flatFare(ride) : meter(ride)) + (ride.toll ? toll(ride) : 0));
}

function flatFare({ start }: Ride): number {
  return start.getTime() < TARIFF_CHANGE ? 45 : 52;
}

/** A unit is a fifth of a mile, or a minute stopped or slow; the initial charge covers the first. */
function meter(ride: Ride): number {
  const unit = ride.start.getTime() < TARIFF_CHANGE ? 0.4 : 0.5;
  const units = Math.max(0, Math.ceil(ride.miles * 5 + ride.slowMinutes) - 1);
  return INITIAL_CHARGE + unit * units + surcharge(ride.start);
}

function surcharge(start: Date): number {
  const [hour, day] = [start.getUTCHours(), start.getUTCDay()];
  if (hour >= 20 || hour < 6) return NIGHT_SURCHARGE;
  return hour >= 16 && day >= 1 && day <= 5 ? RUSH_SURCHARGE : 0;
}

function toll({ start }: Ride): number {
  const year = start.getUTCFullYear();
  return TOLLS.find(([from]) => year >= from)?.[1] ?? 0;
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}
