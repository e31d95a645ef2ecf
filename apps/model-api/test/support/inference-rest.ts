import { expect } from "vitest";
import { bodyOf, TRIP, testApi } from "./api.ts";
import { columns } from "./grpc.ts";

export const { app, model, predict, service } = testApi();
export const { digest } = model.artifact;
export const INFER = "/v2/models/taxi-fare/infer";

/** An infer call; text is sent as it is. */
export function post(body: unknown, path = INFER, headers: Record<string, string> = {}, to = app) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: text };
  return to.request(path, init);
}

/** The sentence of a refusal, whose form is checked. */
export async function refusal(response: Response | Promise<Response>, status: number): Promise<string> {
  const answer = await response;
  expect(answer.status).toBe(status);
  expect(answer.headers.get("Content-Type")).toBe("application/json");
  const document = await bodyOf(answer);
  expect(Object.keys(document)).toEqual(["error"]);
  return document.error;
}

/** The tensors of one trip, one of them changed. */
export function changed(name: string, change: object) {
  return {
    inputs: columns([TRIP]).map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)),
  };
}
