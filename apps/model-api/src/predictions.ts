import type { Model, Prediction, Trip } from "@sluice/model";
import type { Metrics } from "./metrics.ts";

/** Predicts and counts; every protocol goes through it, so that all give the same numbers and are counted alike. */
export function predictTrips(model: Model, metrics: Metrics, trips: readonly Trip[]): Prediction[] {
  let extrapolated = 0;
  const predictions = trips.map((trip) => {
    const prediction = model.predict(trip);
    if (prediction.extrapolated) extrapolated++;
    metrics.fares.observe(prediction.fare_amount);
    metrics.countTenths(trip, prediction);
    return prediction;
  });
  metrics.batchRows.observe(predictions.length);
  metrics.predictions.inc(predictions.length);
  metrics.extrapolated.inc(extrapolated);
  return predictions;
}
