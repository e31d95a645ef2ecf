import { BASE_FARE, describeTrip, type Inputs } from "@sluice/model/fitting";

const MILE = 1.609344;

/**
 * The fare by the published tariff (NYC Taxi and Limousine Commission), US dollars: 2.50, then 0.40 (from 2012-09-04 on
 * 0.50) for each started fifth of a mile along the street grid, 0.50 more from 20 to 6 h, 1.00 more from 16 to 20 h on
 * weekdays; between Kennedy airport and Manhattan 45, later 52. Waiting in traffic and tolls are not in it, because
 * nobody knows them before the trip.
 */
export function tariffFare(inputs: Inputs): number {
  const trip = describeTrip(inputs);
  if (trip.flat === 1) return trip.newTariff === 1 ? 52 : 45;
  const unit = trip.newTariff === 1 ? 0.5 : 0.4;
  const night = trip.hour >= 20 || trip.hour < 6 ? 0.5 : 0;
  const rush = trip.weekend === 0 && trip.hour >= 16 && trip.hour < 20 ? 1 : 0;
  return BASE_FARE + unit * Math.ceil((trip.gridKm / MILE) * 5) + night + rush;
}
