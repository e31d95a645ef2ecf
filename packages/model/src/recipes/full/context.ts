import { DAY } from "../../datetime.ts";
import { KM_PER_LATITUDE, KM_PER_LONGITUDE } from "../../geo.ts";
import type { Inputs } from "../../inputs.ts";
import type { Feature } from "../recipe.ts";
import {
  atKennedy,
  atLaGuardia,
  atNewark,
  inManhattan,
  inNassau,
  inNewJersey,
  nearTollPlaza,
  onStatenIsland,
} from "./places.ts";

/** Manhattan's avenues run 29° east of north. */
const TURN = (29 * Math.PI) / 180;
const COS = Math.cos(TURN);
const SIN = Math.sin(TURN);

/** 2012-09-04 00:00, when the unit rose from 0.40 to 0.50 dollars and the flat fare from 45 to 52. */
const NEW_TARIFF = Date.UTC(2012, 8, 4) / 1000;
const YEAR = 365.25 * DAY;
const YEAR_2012 = Date.UTC(2012, 0, 1) / 1000;

/** One end of a trip. `across` and `along` are kilometres from 40.75 N, 73.98 W across and along the avenues. */
export interface End {
  readonly across: number;
  readonly along: number;
  readonly manhattan: number;
  readonly kennedy: number;
  readonly laGuardia: number;
  readonly newark: number;
  readonly newJersey: number;
  readonly statenIsland: number;
  readonly nassau: number;
  /** 0 to 1. */
  readonly tollPlaza: number;
}

/** What the groups of features share. Indicators are 0 or 1. */
export interface Context {
  readonly passengers: number;
  readonly straightKm: number;
  /** Length along the street grid, and its two legs, kilometres. */
  readonly gridKm: number;
  readonly acrossKm: number;
  readonly alongKm: number;
  readonly pickup: End;
  readonly dropoff: End;
  /** Between Kennedy and Manhattan, either way: the flat fare, which neither distance nor traffic changes. */
  readonly flat: number;
  /** 1 where the meter counts: everywhere but on flat trips. */
  readonly metered: number;
  /** The metered grid length that slow traffic tells on, at most 12 km. */
  readonly cityKm: number;
  readonly newTariff: number;
  /** Years since 2012-01-01. */
  readonly years: number;
  /** Hour with its fraction, 0 to 24. */
  readonly hour: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly weekend: number;
}

/** Some columns of a recipe and how to compute them. */
export interface Group {
  readonly features: readonly Feature[];
  /** Writes its features from `at` on. */
  readonly compute: (context: Context, out: Float64Array, at: number) => void;
}

export function describeTrip(inputs: Inputs): Context {
  const pickup = describeEnd(inputs.pickupLatitude, inputs.pickupLongitude);
  const dropoff = describeEnd(inputs.dropoffLatitude, inputs.dropoffLongitude);
  const flat = Math.max(pickup.kennedy * dropoff.manhattan, dropoff.kennedy * pickup.manhattan);
  const acrossKm = Math.abs(inputs.eastKm * COS - inputs.northKm * SIN);
  const alongKm = Math.abs(inputs.eastKm * SIN + inputs.northKm * COS);
  const gridKm = acrossKm + alongKm;
  const days = Math.floor(inputs.seconds / DAY);
  const weekday = (days + 4) % 7;
  return {
    passengers: inputs.passengers,
    straightKm: inputs.distanceKm,
    gridKm,
    acrossKm,
    alongKm,
    pickup,
    dropoff,
    flat,
    metered: 1 - flat,
    cityKm: Math.min(gridKm, 12) * (1 - flat),
    newTariff: inputs.seconds >= NEW_TARIFF ? 1 : 0,
    years: (inputs.seconds - YEAR_2012) / YEAR,
    hour: (inputs.seconds - days * DAY) / 3600,
    weekday,
    weekend: weekday === 0 || weekday === 6 ? 1 : 0,
  };
}

function describeEnd(latitude: number, longitude: number): End {
  const east = (longitude + 73.98) * KM_PER_LONGITUDE;
  const north = (latitude - 40.75) * KM_PER_LATITUDE;
  return {
    across: east * COS - north * SIN,
    along: east * SIN + north * COS,
    manhattan: inManhattan(latitude, longitude),
    kennedy: atKennedy(latitude, longitude),
    laGuardia: atLaGuardia(latitude, longitude),
    newark: atNewark(latitude, longitude),
    newJersey: inNewJersey(latitude, longitude),
    statenIsland: onStatenIsland(latitude, longitude),
    nassau: inNassau(latitude, longitude),
    tollPlaza: nearTollPlaza(latitude, longitude),
  };
}
