/** One trip as a client sends it. Coordinates in degrees, WGS 84. */
export interface Trip {
  readonly pickup_latitude: number;
  readonly pickup_longitude: number;
  readonly dropoff_latitude: number;
  readonly dropoff_longitude: number;
  readonly passenger_count: number;
  /** New York wall-clock time; absent: the artifact's typical time. */
  readonly pickup_datetime?: string | undefined;
}

/** What a model says of one trip. `fare_amount` in US dollars, rounded to cents. */
export interface Prediction {
  readonly fare_amount: number;
  /** Present and true when the trip lies outside what the model was trained on. */
  readonly extrapolated?: true;
}

/** The initial charge of the New York tariff, in US dollars: no prediction is below it. */
export const BASE_FARE = 2.5;
