import { type Client, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect } from "vitest";
import { FAR_TRIP, TRIP } from "./api.ts";
import { call, InferenceClient, type Running, startGrpc } from "./grpc.ts";

/** A server for all tests of a file, and its client. */
export let running: Running;
export let client: Client;

beforeAll(async () => {
  running = await startGrpc();
  client = running.client(InferenceClient);
});

afterAll(() => running.stop());

/** A call of ModelInfer. */
export const infer = (request: object, to = client) =>
  call(to, "ModelInfer", { modelName: "taxi-fare", ...request });
export const far = { pickup_datetime: TRIP.pickup_datetime, ...FAR_TRIP };
/** As the client's generated code would have them; -0 and the last bit count. */
export const doubles = (values: readonly number[]) =>
  Buffer.from(Float64Array.from(values).buffer).toString("hex");

/** What REST predicts for these trips. */
export async function fares(rows: readonly object[]): Promise<number[]> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" } };
  const response = await fetch(`${running.url}/api/predict/`, {
    ...init,
    body: JSON.stringify({ data: rows }),
  });
  const { predictions } = (await response.json()) as { predictions: { fare_amount: number }[] };
  return predictions.map(({ fare_amount }) => fare_amount);
}

/** The sentence by which a request is refused. */
export async function refusal(request: object, code = status.INVALID_ARGUMENT): Promise<string> {
  const { error, metadata } = await infer(request);
  expect(error?.code).toBe(code);
  expect(metadata.get("x-model-version")).toEqual(["1.2.3"]);
  return error!.details;
}
