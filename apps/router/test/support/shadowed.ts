import type { Config, ShadowConfig } from "../../src/config/config.ts";
import { parsePointer } from "../../src/core/predictions/pointer.ts";
import { measureOf } from "../../src/core/shadow/measure.ts";
import type { CreateEngine } from "../../src/proxy/engine.ts";
import { closing } from "./open.ts";
import { TEST_CONFIG, testRouter } from "./plane.ts";
import { type Answer, upstream } from "./upstream.ts";

export const PATH = "/api/predict/";
const PREDICTIONS = { pointer: parsePointer("/predictions/*/fare_amount"), range: undefined, paths: [] };
const MEASURE = measureOf(PREDICTIONS, TEST_CONFIG.shadow);
export const SHADOW = { id: "s1", color: "green", against: "blue", percent: 100, measure: MEASURE };

export const keep = closing();

/** A body with these predictions. */
export const fares = (...values: unknown[]) =>
  JSON.stringify({ predictions: values.map((fare_amount) => ({ fare_amount })) });
/** Answers with one prediction. */
export const fare = (value: unknown): Answer => {
  return (_, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(fares(value));
  };
};

/** Blue answers; green, at `shadow`, serves nobody. */
export const shadowedBy =
  (create: CreateEngine) =>
  async (
    shadow: string,
    options: {
      limits?: Partial<ShadowConfig>;
      config?: Partial<Config>;
      blue?: Answer;
      percent?: number;
      random?: () => number;
      now?: () => number;
    } = {},
  ) => {
    const blue = keep(await upstream(options.blue ?? fare(10)));
    const colors = {
      blue: { weight: 1, targets: [blue.url] },
      green: { weight: 0, targets: shadow === "" ? [] : [shadow] },
    };
    const config = {
      predictions: PREDICTIONS,
      shadow: { ...TEST_CONFIG.shadow, rate: 100_000, ...options.limits },
      retry: { ...TEST_CONFIG.retry, idempotent_paths: [PATH] },
      ...options.config,
    };
    const { percent = 100, random, now } = options;
    const measure = measureOf(config.predictions, config.shadow);
    const snapshot = { shadow: { ...SHADOW, percent, measure } };
    const router = keep(
      await testRouter(colors, { config, snapshot, ...(random && { random }), ...(now && { now }) }, create),
    );
    const copies = () => router.plane.report().colors.green?.copies ?? {};
    const pairs = () => router.plane.report().shadow!.pairs;
    const post = (body = '{"data":[{"passenger_count":1}]}', headers: Record<string, string> = {}) =>
      fetch(`${router.url}${PATH}`, { method: "POST", body, headers });
    return { ...router, blue, colors, copies, pairs, post };
  };
